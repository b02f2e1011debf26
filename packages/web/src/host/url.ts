// The functions of node:url that gictrace uses.

export function fileURLToPath(url: string | URL): string {
  return decodeURIComponent(new URL(url).pathname);
}
