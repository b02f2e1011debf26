// JUnit XML, as CI systems read it. It does not know what the cases are.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes text for XML 1.0, which permits no control characters except tab and line ends. */
function xml(text: string): string {
  return text
    .replace(/[&<>"]/g, (c) => ENTITIES[c]!)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd');
}

export interface JunitCase {
  readonly name: string;
  readonly seconds: number;
  /** Absent if the case passed. `failure`: a verdict; `error`: it could not be decided. */
  readonly problem?: {
    readonly tag: 'failure' | 'error';
    readonly type: string;
    readonly message: string;
    readonly text: string;
  };
}

/** JUnit XML of one suite. */
export function junitXml(suite: string, classname: string, cases: readonly JunitCase[]): string {
  const count = (tag: 'failure' | 'error') => cases.filter(({ problem }) => problem?.tag === tag).length;
  const time = cases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3);
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" time="${time}"`;
  const out = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(suite)}" ${counts}>`,
  ];
  for (const { name, seconds, problem } of cases) {
    const head = `    <testcase classname="${xml(classname)}" name="${xml(name)}" time="${seconds.toFixed(3)}"`;
    if (problem === undefined) {
      out.push(`${head}/>`);
      continue;
    }
    const { tag, type, message, text } = problem;
    out.push(
      `${head}>`,
      `      <${tag} type="${xml(type)}" message="${xml(message)}">${xml(text)}</${tag}>`,
      '    </testcase>',
    );
  }
  out.push('  </testsuite>', '</testsuites>', '');
  return out.join('\n');
}
