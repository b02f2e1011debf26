/** The chunks of a stream, which is given up if whoever reads them stops before its end. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        isOver = true;
        throw error;
      });
      if (done) break;
      yield value;
    }
    isOver = true;
  } finally {
    if (!isOver) await reader.cancel();
  }
}
