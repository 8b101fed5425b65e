/** Runs `work` on every item, at most `lanes` at a time, and returns the results in the items' order. */
export async function mapLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async () => {
    for (const [i, item] of queue) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
