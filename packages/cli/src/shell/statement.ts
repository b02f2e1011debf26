// Finds where SQL statements end, by SQLite's rules: a semicolon in a string, a quoted name or a comment ends nothing.
// It knows nothing of terminals.

type Kind = 'text' | 'string' | 'name' | 'comment' | 'line comment' | 'end';
interface Piece {
  readonly kind: Kind;
  readonly text: string;
  /** Whether its end was found. */
  readonly isClosed: boolean;
}

const PIECES: readonly (readonly [Kind, RegExp])[] = [
  ['string', /'(?:[^']|'')*('?)/y],
  ['name', /"(?:[^"]|"")*("?)/y],
  ['name', /`(?:[^`]|``)*(`?)/y],
  ['name', /\[[^\]]*(\]?)/y],
  ['line comment', /--[^\n]*(\n?)/y],
  ['comment', /\/\*(?:(?!\*\/)[\s\S])*((?:\*\/)?)/y],
  ['end', /(;)/y],
  ['text', /((?:(?!--|\/\*)[^'"`[;])+)/y],
];

function* pieces(sql: string): Generator<Piece> {
  for (let at = 0; at < sql.length; ) {
    let piece: Piece | undefined;
    for (const [kind, pattern] of PIECES) {
      pattern.lastIndex = at;
      const match = pattern.exec(sql);
      if (match === null) continue;
      piece = { kind, text: match[0], isClosed: match[1] !== '' };
      break;
    }
    piece ??= { kind: 'text', text: sql[at]!, isClosed: true };
    yield piece;
    at += piece.text.length;
  }
}

/** The complete statements, without their semicolons, and the incomplete text behind the last of them. */
export function split(sql: string): { readonly statements: readonly string[]; readonly rest: string } {
  const statements: string[] = [];
  let rest = '';
  for (const { kind, text } of pieces(sql)) {
    if (kind !== 'end') rest += text;
    else {
      if (!isEmpty(rest)) statements.push(rest);
      rest = '';
    }
  }
  return { statements, rest };
}

/** Whether a statement contains nothing but comments and blanks. */
export function isEmpty(sql: string): boolean {
  for (const { kind, text } of pieces(sql))
    if (kind !== 'comment' && kind !== 'line comment' && text.trim() !== '') return false;
  return true;
}

/** The same statement on one line, for the history. A string that contains a new line keeps its value. */
export function oneLine(sql: string): string {
  let out = '';
  for (const { kind, text } of pieces(sql)) {
    if (kind === 'line comment') out += `/*${text.trim().slice(2).replaceAll('*/', '* /')} */ `;
    else if (kind === 'string' && text.includes('\n'))
      out += `(${text.split('\n').join("' || char(10) || '")})`;
    else out += kind === 'name' ? text : text.replace(/\s+/g, (gap) => (gap.includes('\n') ? ' ' : gap));
  }
  return out.trim();
}

/** Whether the text ends inside a string or comment, where there is nothing to complete. */
export function isInText(sql: string): boolean {
  let last: Piece | undefined;
  for (const piece of pieces(sql)) last = piece;
  if (last === undefined) return false;
  const isText = last.kind === 'string' || last.kind === 'comment' || last.kind === 'line comment';
  return isText && !last.isClosed;
}
