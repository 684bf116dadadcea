import type { Trainer } from '../../client/trainers/trainer.ts';
import type { Params } from '../../shared/aggregation/rule.ts';
import { createRng } from '../../shared/rng.ts';
import { AttackError } from './attack-error.ts';
import { forgeUpdates } from './forge-updates.ts';
import { parseSimulatedAttack, SIMULATED_ATTACKS } from './registry.ts';
import type { SimulatedAttack, UpdateAttack } from './scene.ts';

/** An attack that one client can mount alone, with its parameters. */
export interface LoneAttack {
  /** The attack. */
  readonly attack: UpdateAttack;
  /** Its parameters, complete. */
  readonly params: Params;
}

/** The attacks that one client can mount alone: those that need nothing of the others. */
export const LONE_ATTACKS: readonly UpdateAttack[] = SIMULATED_ATTACKS.filter(isLone);

/**
 * Reads an attack that one client can mount alone, such as `ipm:10`.
 *
 * @throws AttackError `attack/not-alone`, and as `parseSimulatedAttack`
 */
export function parseLoneAttack(text: string): LoneAttack {
  const { attack, params } = parseSimulatedAttack(text);
  if (isLone(attack)) return { attack, params };
  const known = LONE_ATTACKS.map(({ name }) => name);
  const sentence = `${attack.name} is an attack that only a simulation can mount: choose one of ${known.join(', ')}`;
  throw new AttackError('attack/not-alone', sentence, { attack: attack.name, known });
}

/**
 * A trainer that trains honestly and sends what the attack makes of its update: its own stands for those of the honest, which
 * it does not see.
 *
 * @param honest - who trains
 */
export function mountAttack(honest: Trainer, { attack, params }: LoneAttack): Trainer {
  const memory = new Map<string, unknown>();
  return {
    ...(honest.workerMomentum === undefined ? {} : { workerMomentum: honest.workerMomentum }),
    evaluate: (weights, signal) => honest.evaluate(weights, signal),
    dispose: () => honest.dispose(),
    train: async (task, signal) => {
      const result = await honest.train(task, signal);
      const own = [joined(result.update)];
      const scene = {
        round: task.round + 1,
        byzantine: 1,
        participants: 1,
        honest: own,
        own,
        lastMove: lastMove(memory, task.weights),
        aggregate: () => Promise.reject(cannotTry(attack)),
        rng: createRng(task.seed, `attack/${task.round}`),
        memory,
      };
      const [forged] = await forgeUpdates(attack, scene, params);
      return { ...result, update: cut(forged as Float32Array, result.update) };
    },
  };
}

function isLone(attack: SimulatedAttack): attack is UpdateAttack {
  return attack.kind === 'update' && attack.looksAt === 'own';
}

/** By how much the weights moved since the round before that this trainer was asked in. */
function lastMove(memory: Map<string, unknown>, weights: readonly Float32Array[]): Float32Array | null {
  const now = joined(weights);
  const before = memory.get(WEIGHTS);
  memory.set(WEIGHTS, now);
  return before instanceof Float32Array ? now.map((value, at) => value - (before[at] as number)) : null;
}

/** Where the weights of the round before are kept, beside what attacks keep. */
const WEIGHTS = 'mount/weights';

function joined(tensors: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(tensors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const tensor of tensors) {
    whole.set(tensor, at);
    at += tensor.length;
  }
  return whole;
}

function cut(whole: Float32Array, like: readonly Float32Array[]): Float32Array[] {
  let at = 0;
  return like.map(({ length }) => {
    at += length;
    return whole.slice(at - length, at);
  });
}

function cannotTry({ name }: UpdateAttack): AttackError {
  const sentence = `${name} asks what the rule makes of updates, which one client alone cannot try: simulate it`;
  return new AttackError('attack/not-alone', sentence, { attack: name });
}
