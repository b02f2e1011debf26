// The face of the `gictrace` package: `main` runs one command line and answers its exit code.
export async function main(_args: readonly string[]): Promise<number> {
  return 2;
}
