import type { ParamsValues } from '../../contracts/deploy/deploy-chain.ts';
import type { Governance, ProposedCall } from '../../contracts/ledger/governance.ts';
import { setParamsCall, setRuleCall } from '../../contracts/ledger/governance-writer.ts';
import { didYouMean } from '../../shared/aggregation/nearest-name.ts';
import { resolveRule } from '../../shared/aggregation/registry.ts';
import type { Hex } from '../../shared/bytes.ts';
import { GovError } from './gov-error.ts';

/** What a proposal is to do, as the command line says it. */
export interface Wishes {
  /** New parameters, each `name=value`; the others stay as they are. */
  readonly set: readonly string[];
  /** Rules to be allowed. */
  readonly allowRule: readonly string[];
  /** Rules to be forbidden. */
  readonly forbidRule: readonly string[];
  /** Any other calls, each `target:data`. */
  readonly call: readonly string[];
}

/**
 * The calls that bring about what is wished.
 *
 * @throws GovError `gov/nothing-proposed`, `gov/unknown-parameter`; RuleError for a rule that does not exist
 */
export async function proposedCalls(governance: Governance, wishes: Wishes): Promise<ProposedCall[]> {
  const { params } = governance.addresses;
  const calls: ProposedCall[] = [];
  if (wishes.set.length > 0) {
    const { values } = await governance.params();
    calls.push(setParamsCall(params, wishes.set.reduce(withValue, values)));
  }
  for (const rule of wishes.allowRule) calls.push(setRuleCall(params, resolveRule(rule).name, true));
  for (const rule of wishes.forbidRule) calls.push(setRuleCall(params, resolveRule(rule).name, false));
  for (const text of wishes.call) calls.push(parseCall(text));
  if (calls.length > 0) return calls;
  const message = 'nothing is proposed: say --set NAME=VALUE, --allow-rule, --forbid-rule or --call TARGET:DATA';
  throw new GovError('gov/nothing-proposed', message);
}

function withValue(values: ParamsValues, text: string): ParamsValues {
  const [name = '', value = ''] = text.split('=', 2);
  const before = values[name as keyof ParamsValues];
  if (before === undefined) {
    const known = Object.keys(values);
    const hint = didYouMean(name, known) || ` known are ${known.join(', ')}`;
    throw new GovError('gov/unknown-parameter', `there is no parameter "${name}";${hint}`, { name });
  }
  if (typeof before === 'boolean' && /^(true|false)$/.test(value)) return { ...values, [name]: value === 'true' };
  if (typeof before !== 'boolean' && /^[0-9]{1,30}$/.test(value)) {
    return { ...values, [name]: typeof before === 'bigint' ? BigInt(value) : Number(value) };
  }
  const expected = typeof before === 'boolean' ? 'true or false' : 'a whole number';
  throw new GovError('gov/unknown-parameter', `parameter "${name}": expected ${expected}, "${value}" was given`, {
    name,
  });
}

function parseCall(text: string): ProposedCall {
  const [, target, data] = /^(0x[0-9a-fA-F]{40}):(0x(?:[0-9a-fA-F]{2})*)$/.exec(text) ?? [];
  if (target !== undefined && data !== undefined) {
    return { target: target.toLowerCase() as Hex, value: 0n, data: data.toLowerCase() as Hex };
  }
  throw new GovError('gov/nothing-proposed', `"${text}" is no call: give TARGET:DATA, both hexadecimal with 0x`);
}
