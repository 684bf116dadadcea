import { readdirSync, readFileSync } from 'node:fs';

/** One committed case, see test/vectors/README.md. */
export interface VectorCase {
  readonly name: string;
  readonly library: string;
  readonly rule: string;
  readonly kind: 'aggregator' | 'preaggregator' | 'pipeline';
  readonly params: { readonly f?: number; readonly neighbours?: number; readonly m?: number };
  readonly input: readonly (readonly number[])[];
  readonly output: readonly number[] | readonly (readonly number[])[];
  readonly tie_ambiguous?: boolean;
}

const folder = new URL('../../vectors/', import.meta.url);

/** Every committed case, by name. */
export const vectorCases: readonly VectorCase[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as VectorCase);
