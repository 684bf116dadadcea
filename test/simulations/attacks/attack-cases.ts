import { readdirSync, readFileSync } from 'node:fs';

/** One committed case, see test/vectors/attacks/README.md. */
export interface AttackCase {
  readonly name: string;
  readonly rule: string;
  readonly params: Readonly<Record<string, unknown>> & {
    readonly tau?: number;
    readonly epsilon?: number;
    readonly dev_type?: 'unit_vec' | 'std' | 'sign';
    readonly gamma_init?: number;
    readonly stop_threshold?: number;
    readonly agg?: string;
    readonly pre_agg_list?: readonly { readonly name: string; readonly c?: number }[];
    readonly f?: number;
    readonly evals?: number;
    readonly start?: number;
    readonly delta?: number;
    readonly ratio?: number;
  };
  readonly input: readonly Float64Array[];
  readonly output: readonly (number | string)[];
  readonly best_tau?: number;
}

const folder = new URL('../../vectors/attacks/', import.meta.url);

/** Every committed case, by name. */
export const attackCases: readonly AttackCase[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .flatMap((file) => {
    const { input, cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      input: number[][];
      cases: Omit<AttackCase, 'input'>[];
    };
    const rows = input.map((row) => Float64Array.from(row));
    return cases.map((one) => ({ ...one, input: rows }));
  });
