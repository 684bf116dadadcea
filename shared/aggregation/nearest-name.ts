/**
 * A hint for a misspelt name: the known one fewest single-letter edits away (Levenshtein), the first of equals, letter
 * case aside.
 *
 * @returns ` did you mean "…"?` with its leading space, or nothing when no name is near
 */
export function didYouMean(name: string, known: readonly string[]): string {
  let nearest: string | undefined;
  // Further than half the word away, a suggestion is noise.
  let fewest = Math.max(2, Math.ceil(name.length / 2));
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest === undefined ? '' : ` did you mean "${nearest}"?`;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const swap = (previous[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[to.length] as number;
}
