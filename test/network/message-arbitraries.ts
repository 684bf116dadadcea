import fc from 'fast-check';
import { OPERATIONS, type OperationName } from '../../shared/protocol/messages.ts';

/** As much of a schema as it takes to make up what it accepts. */
interface Schema {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, Schema>>;
    readonly innerType?: Schema;
    readonly element?: Schema;
    readonly options?: readonly Schema[];
    readonly values?: readonly unknown[];
    readonly entries?: Readonly<Record<string, string>>;
  };
}

const NUMBERS = [0, 1, 2, -1, 0.5, 384, 1e6, 0xffff_ffff, 2 ** 32, 2 ** 40, 2 ** 53, Number.MAX_VALUE, Number.NaN];
const TEXTS = ['', 'x', '__proto__', 'constructor', '../..', '\u0000', '\ud800', 'y'.repeat(2000), '31337'];

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Anything at all that MessagePack can carry. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: false, withMap: false, withSet: false, maxDepth: 3 }),
  oneOf<unknown>([...NUMBERS, ...TEXTS, null, [], {}, { __proto__: null }]),
);

/**
 * Values of a schema's form: right in every type, and often in every value.
 *
 * @param hexes - hashes, addresses and signatures that mean something to the coordinator
 */
function shaped({ def }: Schema, hexes: readonly string[]): fc.Arbitrary<unknown> {
  const inner = (schema: Schema | undefined): fc.Arbitrary<unknown> => (schema ? shaped(schema, hexes) : anything);
  switch (def.type) {
    case 'object':
      return fc.record(Object.fromEntries(Object.entries(def.shape ?? {}).map(([key, one]) => [key, inner(one)])));
    case 'array':
      return fc.array(inner(def.element), { maxLength: 5 });
    case 'nullable':
      return fc.option(inner(def.innerType), { nil: null });
    case 'optional':
      return fc.option(inner(def.innerType), { nil: undefined });
    case 'union':
      return fc.oneof(...(def.options ?? []).map(inner));
    case 'literal':
      return oneOf(def.values ?? []);
    case 'enum':
      return oneOf(Object.values(def.entries ?? {}));
    case 'number':
      return fc.oneof(oneOf([0, 1, 2]), oneOf(NUMBERS), fc.integer(), fc.double());
    case 'string':
      return fc.oneof(oneOf(TEXTS), fc.string());
    case 'boolean':
      return fc.boolean();
    default:
      return oneOf(hexes);
  }
}

/** Puts anything in the place of one field, takes one away, or adds one that nobody asked for. */
function damaged(payload: unknown, at: number, value: unknown): unknown {
  if (typeof payload !== 'object' || payload === null) return value;
  const keys = Object.keys(payload);
  const key = keys[at % (keys.length + 1)];
  const { [key ?? '']: _gone, ...rest } = payload as Record<string, unknown>;
  if (key === undefined) return { ...rest, [TEXTS[at % TEXTS.length] ?? '']: value };
  return at % 2 === 0 ? rest : { ...rest, [key]: value };
}

/** A request of the control plane. */
export interface FuzzedMessage {
  readonly name: string;
  readonly payload: unknown;
}

/** Every request there is, now and later: in form, damaged, or with anything in place of what it carries. */
export function messages(hexes: readonly string[]): fc.Arbitrary<FuzzedMessage> {
  const known = (Object.keys(OPERATIONS) as OperationName[]).map((name) => {
    const inForm = shaped(OPERATIONS[name].request as unknown as Schema, hexes);
    const payload = fc.oneof(
      { weight: 4, arbitrary: inForm },
      {
        weight: 3,
        arbitrary: fc.tuple(inForm, fc.nat(40), anything).map(([one, at, value]) => damaged(one, at, value)),
      },
      { weight: 1, arbitrary: anything },
    );
    return payload.map((one): FuzzedMessage => ({ name, payload: one }));
  });
  const unknown = fc.tuple(fc.oneof(fc.string(), oneOf(TEXTS)), anything);
  return fc.oneof(
    ...known,
    unknown.map(([name, payload]) => ({ name, payload })),
  );
}
