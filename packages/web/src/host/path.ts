// The functions of node:path that gictrace uses, for paths with slashes.

export const sep = '/';

export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function dirname(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

export function join(...parts: readonly string[]): string {
  return parts.join('/').replace(/\/+/g, '/');
}

/** Paths here are absolute. */
export function resolve(path: string): string {
  return path;
}
