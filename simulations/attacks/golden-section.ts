/** What is left of an interval after a golden-section step: (sqrt(5) - 1) / 2. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Powers of two looked at first, as exponents: from 1/16 to 1024. */
const FIRST = Array.from({ length: 15 }, (_, i) => i - 4);

/**
 * Looks for the positive number of greatest effect: at powers of two times a unit, then by golden section between the
 * neighbours of the best (Kiefer, "Sequential minimax search for a maximum", 1953). Deterministic; of an effect with several
 * maxima it finds one.
 *
 * @param effect - what to make large
 * @param unit - a length of the right order
 * @param steps - golden sections
 * @returns the best number looked at, and its effect
 */
export async function searchAround(
  effect: (length: number) => Promise<number>,
  unit: number,
  steps: number,
): Promise<{ readonly length: number; readonly effect: number }> {
  let best = { length: 0, effect: await effect(0) };
  const look = async (length: number): Promise<number> => {
    const found = await effect(length);
    if (found > best.effect) best = { length, effect: found };
    return found;
  };
  for (const exponent of FIRST) await look(unit * powerOfTwo(exponent));
  if (best.length === 0) return best;
  let low = best.length / 2;
  let high = best.length * 2;
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let [atLeft, atRight] = [await look(left), await look(right)];
  for (let step = 0; step < steps; step += 1) {
    if (atLeft >= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = await look(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = await look(right);
    }
  }
  return best;
}

function powerOfTwo(exponent: number): number {
  return exponent < 0 ? 1 / (1 << -exponent) : 1 << exponent;
}
