/** All the points that lie at one boundary, as nothing changes between them; a process is killed at the first of them. */
export type Boundary = readonly [point: string, ...also: string[]];

/**
 * Deals boundaries out to runs: each run kills one process after another, each further on than the one before, so that a
 * few runs come to all of them.
 */
export function runsOf(boundaries: readonly Boundary[], runs: number): Boundary[][] {
  return Array.from({ length: runs }, (_, run) => boundaries.filter((_boundary, at) => at % runs === run));
}

/** How a boundary is called in a table. */
export function nameOf(boundary: Boundary): string {
  return boundary.join(' = ');
}
