/**
 * Works through a list with so many at the same time, each taking the next one when it is done.
 *
 * @returns how long it took, in milliseconds
 */
export async function inLanes<Item, Lane>(
  items: readonly Item[],
  lanes: readonly Lane[],
  work: (item: Item, lane: Lane) => Promise<unknown>,
): Promise<number> {
  const queue = [...items];
  const startedAt = performance.now();
  await Promise.all(
    lanes.map(async (lane) => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item, lane);
    }),
  );
  return performance.now() - startedAt;
}
