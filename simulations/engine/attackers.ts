import type { Params } from '../../shared/aggregation/rule.ts';
import type { Rng } from '../../shared/rng.ts';
import { forgeUpdates } from '../attacks/forge-updates.ts';
import type { ChosenAttack } from '../attacks/registry.ts';
import type { Scene, SimulatedAttack, UpdateAttack } from '../attacks/scene.ts';
import type { Dataset, Examples } from '../data/dataset.ts';
import type { RuleOracle } from './rule-oracle.ts';
import { streamOf } from './streams.ts';

/** What attackers see of a round. */
export interface RoundScene {
  /** Round, from 1. */
  readonly round: number;
  /** Attackers that take part. */
  readonly byzantine: number;
  /** Participants in all. */
  readonly participants: number;
  /** What the honest send. */
  readonly honest: readonly Float32Array[];
  /** What the attackers would send if they followed the protocol; empty where they do not train. */
  readonly own: readonly Float32Array[];
  /** By how much the model moved in the round before, in the units of an update; null in round 1. */
  lastMove(): Float32Array | null;
  /** The rule. */
  readonly aggregate: RuleOracle;
}

/** The Byzantine clients of a run, as one. */
export interface Attackers {
  /** What they do, null if nothing wrong. */
  readonly attack: SimulatedAttack | null;
  /** Whether they train, on data of their own. */
  readonly train: boolean;
  /** What they send in a round. */
  send(scene: RoundScene): Promise<readonly Float32Array[]>;
  /** The samples that one states that has so many. */
  claim(samples: number): number;
  /** Test examples with a trigger; null where the attack has none. */
  readonly triggered: Examples | null;
}

/**
 * Whether attackers need data of their own: to follow the protocol, to poison, or to know what an honest client would send.
 */
export function attackersTrain(attack: SimulatedAttack | null, knowledge: 'omniscient' | 'own'): boolean {
  return attack === null || attack.kind !== 'update' || knowledge === 'own';
}

/**
 * Creates the attackers of a run.
 *
 * @param chosen - the attack, null for none
 * @param seed - the run's
 */
export function createAttackers(
  chosen: ChosenAttack | null,
  knowledge: 'omniscient' | 'own',
  dataset: Dataset,
  seed: number,
): Attackers {
  const attack = chosen?.attack ?? null;
  const params: Params = chosen?.params ?? {};
  const { classes, shape } = dataset;
  const memory = new Map<string, unknown>();
  const boost = attack?.kind === 'data' ? (attack.boost?.(params) ?? 1) : 1;

  const forge = (update: UpdateAttack, scene: RoundScene): Promise<readonly Float32Array[]> => {
    const seen = knowledge === 'own' ? scene.own : scene.honest;
    // Where no honest client was drawn there is nothing to look at but what they would do themselves, or nothing at all.
    const some = seen.length > 0 ? seen : scene.own;
    const honest = some.length > 0 ? some : [nothingLike(scene)];
    const { round, byzantine, participants, own, aggregate } = scene;
    const rng = rngOf(round);
    const seenByAll = { round, byzantine, participants, honest, own, aggregate, rng, memory };
    return forgeUpdates(update, withLastMove(seenByAll, scene), params);
  };
  const rngOf = (round: number): Rng => streamOf(seed, 'attack', round);

  return {
    attack,
    train: attackersTrain(attack, knowledge),
    send: async (scene) => {
      if (attack?.kind === 'update') return forge(attack, scene);
      return boost === 1 ? scene.own : scene.own.map((update) => update.map((value) => value * boost));
    },
    claim: (samples) => (attack?.kind === 'claim' ? attack.claim(samples, params) : samples),
    triggered: attack?.kind === 'data' ? (attack.triggered?.(dataset.test, { classes, shape }, params) ?? null) : null,
  };
}

/** A scene whose last move is worked out when it is looked at: few attacks do. */
function withLastMove(scene: Omit<Scene, 'lastMove'>, round: RoundScene): Scene {
  return Object.defineProperty({ ...scene, lastMove: null }, 'lastMove', { get: () => round.lastMove() }) as Scene;
}

function nothingLike({ lastMove, own }: RoundScene): Float32Array {
  return new Float32Array((own[0] ?? lastMove() ?? []).length);
}
