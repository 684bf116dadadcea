import type { Parameter, Params } from '../../shared/aggregation/rule.ts';
import type { Rng } from '../../shared/rng.ts';
import type { Examples } from '../data/dataset.ts';

/**
 * What attackers can look at in a round. Vectors are updates in real units, one a client, `parameters` values each, all in
 * the direction in which the model would be moved; none may be changed.
 */
export interface Scene {
  /** Round, from 1. */
  readonly round: number;
  /** Attackers in this round: so many updates they send, at least one. */
  readonly byzantine: number;
  /** Updates that the round aggregates, those of the attackers included. */
  readonly participants: number;
  /**
   * What honest clients send: of an omniscient attacker all of theirs; else what the attackers themselves would send if
   * they followed the protocol on their own data. At least one.
   */
  readonly honest: readonly Float32Array[];
  /** What the attackers would send if they followed the protocol, one each, where they have data; else empty. */
  readonly own: readonly Float32Array[];
  /** By how much the model moved in the round before, in the units of an update; null in round 1. */
  readonly lastMove: Float32Array | null;
  /**
   * What the job's rule makes of some updates, honest ones first: what an attacker that knows the rule can compute. What
   * is random in the rule (the shuffle of bucketing) is another draw than the round's, which nobody knows beforehand.
   */
  readonly aggregate: (updates: readonly Float32Array[]) => Promise<Float32Array>;
  /** The attackers' random numbers. */
  readonly rng: Rng;
  /** Kept from round to round, for attacks with a memory; written by the attack alone. */
  readonly memory: Map<string, unknown>;
}

/** What every attack states of itself. */
export interface AttackDescription {
  /** Canonical name. */
  readonly name: string;
  /** Other names it answers to; letter case never matters. */
  readonly aliases: readonly string[];
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The paper that describes it. */
  readonly source: string;
  /** What it takes, beside how many attack. */
  readonly parameters: readonly Parameter[];
}

/** An attack on what is sent: from what the attackers know they make what they send. */
export interface UpdateAttack extends AttackDescription {
  /** It forges updates. */
  readonly kind: 'update';
  /**
   * The least that it has to know: `own`: nothing of others, so that one client can mount it alone; `honest`: several
   * updates, for it lives from how they differ; `rule`: also what the rule makes of updates. Whose updates
   * `Scene.honest` holds is decided by the run, whatever this says.
   */
  readonly looksAt: 'own' | 'honest' | 'rule';
  /** The updates the attackers send, `byzantine` of them; `forgeUpdates` calls it and checks what comes back. */
  forge(scene: Scene, params: Params): readonly Float32Array[] | Promise<readonly Float32Array[]>;
}

/** An attack on what is learnt: attackers follow the protocol on data that they changed. */
export interface DataAttack extends AttackDescription {
  /** It poisons data. */
  readonly kind: 'data';
  /** The attackers' examples as they train on them; not changed in place. */
  poison(examples: Examples, facts: DataFacts, params: Params, rng: Rng): Examples;
  /** Factor by which the honestly trained update on poisoned data is multiplied (model replacement); 1 if absent. */
  boost?(params: Params): number;
  /** Test examples with the trigger, with the label that the attacker wants; absent where it has no trigger. */
  triggered?(test: Examples, facts: DataFacts, params: Params): Examples;
}

/** What of a data set a data attack may have to know. */
export interface DataFacts {
  /** Classes. */
  readonly classes: number;
  /** Shape of one example. */
  readonly shape: readonly number[];
}

/** An attack on what is stated: an honest update with a false sample count. */
export interface ClaimAttack extends AttackDescription {
  /** It states something false. */
  readonly kind: 'claim';
  /** The samples that an attacker states that has so many. */
  claim(samples: number, params: Params): number;
}

/** Any attack that a simulation can mount. */
export type SimulatedAttack = UpdateAttack | DataAttack | ClaimAttack;
