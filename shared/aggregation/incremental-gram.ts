import type { IncrementalGram, UpdateRows } from './engine.ts';
import { EngineError } from './engine-error.ts';

/**
 * The inner products of one update with others and, last, with itself.
 *
 * @param others - one row each
 * @param row - one row
 */
export type ProductsWith = (others: readonly UpdateRows[], row: UpdateRows) => Promise<readonly bigint[]>;

/** An update that was folded in. */
interface Member {
  readonly row: UpdateRows;
  /** Its products with members folded in before it, and with itself. */
  readonly products: ReadonlyMap<Member, bigint>;
}

/**
 * Creates an empty Gram matrix that grows by an update at a time, given what multiplies. Updates are folded in one after
 * the other; one that cannot be leaves no trace.
 */
export function createIncrementalGram(productsWith: ProductsWith): IncrementalGram {
  const members = new Map<string, Member>();
  let folded: Promise<unknown> = Promise.resolve();

  const add = async (id: string, row: UpdateRows): Promise<void> => {
    const others = [...members].filter(([other]) => other !== id).map(([, member]) => member);
    const values = await productsWith(
      others.map((other) => other.row),
      row,
    );
    const products = new Map<Member, bigint>();
    const member = { row, products };
    for (const [at, other] of [...others, member].entries()) products.set(other, values[at] as bigint);
    members.set(id, member);
  };

  return {
    add: (id, row) => {
      const done = folded.then(() => add(id, row));
      folded = done.catch(() => undefined);
      return done;
    },
    matrix: async (ids) => {
      await folded;
      const chosen = ids.map((id) => {
        const member = members.get(id);
        if (member !== undefined) return member;
        const sentence = `no update of ${id} was folded into the inner products: add it first`;
        throw new EngineError('engine/unknown-row', sentence, { id });
      });
      return chosen.map((a) => chosen.map((b) => (a.products.get(b) ?? b.products.get(a)) as bigint));
    },
  };
}
