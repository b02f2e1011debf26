// Reads YAML from files that may be hostile: aliases that expand to millions of nodes, an anchor that contains itself, and
// lists within lists until the stack is used up are errors with a place. This file knows no schema.
import { GicTraceError } from '@gictrace/core';
import { type Document, type DocumentOptions, type ParseOptions, parseDocument } from 'yaml';

/** The deepest nesting of lists and maps. Scenarios nest their steps, about three levels for each `repeat`. */
const DEPTH_MAX = 100;
/** The largest number of nodes that the aliases of a file may stand for. */
const NODES_MAX = 1_000_000;

/**
 * Parses a text. Its errors are those of the document.
 * @throws GicTraceError `usage` if it is nested too deeply.
 */
export function parseYaml(
  text: string,
  path: string,
  options: ParseOptions & DocumentOptions = {},
): Document {
  try {
    return parseDocument(text, options);
  } catch (error) {
    throw error instanceof RangeError ? tooDeep(path) : error;
  }
}

/**
 * The data of a document without errors.
 * @throws GicTraceError `usage` if it contains itself, is nested too deeply, or has too many nodes.
 */
export function yamlData(document: Document, path: string): unknown {
  const data = dataOf(document, path);
  let nodes = 0;
  const count = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return;
    if (depth > DEPTH_MAX) throw tooDeep(path);
    const members = Object.values(value);
    nodes += members.length;
    if (nodes > NODES_MAX) throw tooMany(path);
    for (const member of members) count(member, depth + 1);
  };
  count(data, 1);
  return data;
}

function dataOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(path);
    // The library counts how often aliases are used.
    if (error instanceof ReferenceError) throw tooMany(path);
    throw error;
  }
}

function tooDeep(path: string): GicTraceError {
  return new GicTraceError(
    'usage',
    `is nested more than ${DEPTH_MAX} levels deep, or an anchor (&) contains an alias (*) of itself`,
    { path },
  );
}

function tooMany(path: string): GicTraceError {
  return new GicTraceError('usage', 'has aliases (*) that stand for too many nodes', { path });
}
