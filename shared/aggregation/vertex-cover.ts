import type { Matrix } from './rule.ts';

/**
 * Whether some `budget` vertices of a graph touch all its edges. Exact, by branching on a vertex of highest degree: either
 * it is taken, or all its neighbours are. About 1.47^budget steps at worst, because graphs without a vertex of three
 * edges, paths and cycles, are counted at once.
 *
 * @param edges - symmetric; the diagonal is not looked at
 */
export function coverWithin(edges: Matrix<boolean>, budget: number): boolean {
  const neighbours = edges.map((row, i) => row.flatMap((joined, j) => (joined && j !== i ? [j] : [])));
  return search(
    neighbours,
    neighbours.map(() => true),
    neighbours.map((near) => near.length),
    budget,
  );
}

function search(
  neighbours: Matrix<number>,
  present: readonly boolean[],
  degrees: readonly number[],
  budget: number,
): boolean {
  let highest = 0;
  let most = 0;
  let ends = 0;
  for (const [vertex, degree] of degrees.entries()) {
    ends += degree;
    if (degree > most) {
      most = degree;
      highest = vertex;
    }
  }
  if (most === 0) return budget >= 0;
  // No vertex touches more than `most` edges.
  if (ends > 2 * budget * most) return false;
  if (most <= 2) return coverOfPaths(neighbours, present, degrees) <= budget;
  const near = (neighbours[highest] as readonly number[]).filter((vertex) => present[vertex]);
  if (most <= budget && takeAll(near, neighbours, present, degrees, budget)) return true;
  return takeAll([highest], neighbours, present, degrees, budget);
}

function takeAll(
  taken: readonly number[],
  neighbours: Matrix<number>,
  present: readonly boolean[],
  degrees: readonly number[],
  budget: number,
): boolean {
  const left = [...present];
  const counts = [...degrees];
  for (const vertex of taken) {
    left[vertex] = false;
    counts[vertex] = 0;
    for (const other of neighbours[vertex] as readonly number[]) {
      if (left[other]) counts[other] = (counts[other] as number) - 1;
    }
  }
  return search(neighbours, left, counts, budget - taken.length);
}

/** Fewest vertices that touch all edges where none has more than two: half a path's vertices, half a cycle's rounded up. */
function coverOfPaths(neighbours: Matrix<number>, present: readonly boolean[], degrees: readonly number[]): number {
  const seen = present.map((here) => !here);
  let cover = 0;
  const walk = (start: number): number => {
    let length = 0;
    for (let vertex: number | undefined = start; vertex !== undefined; ) {
      seen[vertex] = true;
      length += 1;
      vertex = (neighbours[vertex] as readonly number[]).find((other) => !seen[other]);
    }
    return length;
  };
  // Paths from their ends first: what is left are cycles.
  for (const [vertex, degree] of degrees.entries())
    if (degree === 1 && !seen[vertex]) cover += Math.floor(walk(vertex) / 2);
  for (const [vertex, degree] of degrees.entries())
    if (degree === 2 && !seen[vertex]) cover += Math.ceil(walk(vertex) / 2);
  return cover;
}
