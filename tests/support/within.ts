/**
 * Waits for something that should happen soon on any machine. The limit is generous: it never
 * decides whether a test passes, it only turns a hang into a failure with a name.
 *
 * @param what What is waited for, for the message.
 * @throws {Error} When nothing happened within the limit.
 */
export async function within<T>(what: string, promise: Promise<T>, limitMs = 20_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${limitMs} ms for ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
