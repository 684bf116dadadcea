import type { Rng } from '../../shared/rng.ts';
import type { Examples } from '../data/dataset.ts';
import type { RunSpec } from '../experiment/run-spec.ts';
import type { GradientTask, Learner } from '../models/learner.ts';
import type { Batches } from './batches.ts';
import type { Bench, Workshop } from './workshop.ts';

/** A client that trains in a round. */
export interface Trainee {
  /** The client. */
  readonly client: number;
  /** The model it starts from; clients at one model share the very same array. */
  readonly weights: Float32Array;
  /** Its momentum from the rounds before, which becomes what it sends: an update to be added to the model. */
  readonly update: Bench;
}

/** What clients train with. */
export interface TrainingRoom {
  /** The model. */
  readonly learner: Learner;
  /** Vector arithmetic. */
  readonly workshop: Workshop;
  /** Where the model that a client stands at is copied to. */
  readonly anchor: Bench;
  /** Room for gradients, and for the weights of clients that take local steps: as many clients train at a time. */
  readonly gradients: readonly Bench[];
  /** The same for weights; empty where clients send gradients. */
  readonly locals: readonly Bench[];
  /** How clients train. */
  readonly training: RunSpec['training'];
}

/** Bytes of gradients, and of weights, that are worked on at a time. */
const MOST_ROOM = 64 * 2 ** 20;

/** How many clients train at a time. */
export function trainedTogether(parameters: number, clients: number): number {
  return Math.max(1, Math.min(clients, Math.floor(MOST_ROOM / (4 * parameters))));
}

/**
 * Trains clients, each on batches of its own: as many together as there is room for, which changes no bit.
 *
 * @param examples - what batches point into
 * @param rng - what is random in training, drawn from in the order of clients
 * @returns the mean loss of each client's batches
 */
export async function trainClients(
  room: TrainingRoom,
  trainees: readonly Trainee[],
  examples: Examples,
  batches: Batches,
  rng: Rng,
): Promise<Float64Array> {
  const losses = new Float64Array(trainees.length);
  const train = room.training.mode === 'gradient' ? trainByGradient : trainLocally;
  let done = 0;
  while (done < trainees.length) {
    // In local steps a model is copied for all that start from it, so those are taken together.
    const first = trainees[done] as Trainee;
    let end = done + 1;
    const isOneMore = (next: Trainee | undefined): boolean =>
      next !== undefined && end - done < room.gradients.length && next.weights === first.weights;
    while (isOneMore(trainees[end])) end++;
    const few = trainees.slice(done, end);
    room.anchor.values.set(first.weights);
    losses.set(await train(room, few, examples, batches, rng), done);
    done = end;
  }
  return losses;
}

/** `m = momentum m + momentumWeight (-(g + weightDecay w))`: the worker momentum of the negative gradient. */
async function trainByGradient(
  { learner, workshop, anchor, gradients, training }: TrainingRoom,
  trainees: readonly Trainee[],
  examples: Examples,
  batches: Batches,
  rng: Rng,
): Promise<Float64Array> {
  const tasks = trainees.map(({ client }, index): GradientTask => {
    return { weights: anchor.values, batch: batches.next(client), gradient: (gradients[index] as Bench).values };
  });
  const losses = await learner.gradients(examples, tasks, rng);
  const { momentum, momentumWeight, weightDecay } = training;
  for (const [index, { update }] of trainees.entries()) {
    const weights = weightDecay === 0 ? null : anchor;
    workshop.accumulate(update, gradients[index] as Bench, weights, momentum, -momentumWeight, weightDecay);
  }
  return losses;
}

/** Local SGD, with FedProx's pull towards the model it began from; then the worker momentum of what that changed. */
async function trainLocally(
  { learner, workshop, anchor, gradients, locals, training }: TrainingRoom,
  trainees: readonly Trainee[],
  examples: Examples,
  batches: Batches,
  rng: Rng,
): Promise<Float64Array> {
  const { learningRate: rate, weightDecay: decay, proximal, momentum, momentumWeight } = training;
  const steps = trainees.map(({ client }) => training.steps ?? (training.epochs ?? 1) * batches.perEpoch(client));
  const sums = new Float64Array(trainees.length);
  const most = Math.max(...steps);
  for (let step = 0; step < most; step++) {
    const active = trainees.flatMap((_, index) => (step < (steps[index] as number) ? [index] : []));
    const tasks = active.map((index): GradientTask => {
      const { client } = trainees[index] as Trainee;
      return {
        weights: (step === 0 ? anchor : (locals[index] as Bench)).values,
        batch: batches.next(client),
        gradient: (gradients[index] as Bench).values,
      };
    });
    const losses = await learner.gradients(examples, tasks, rng);
    for (const [task, index] of active.entries()) {
      const [local, gradient] = [locals[index] as Bench, gradients[index] as Bench];
      sums[index] = (sums[index] as number) + (losses[task] as number);
      workshop.descend(step === 0 ? anchor : local, local, gradient, anchor, { rate, decay, proximal });
    }
  }
  for (const [index, { update }] of trainees.entries()) {
    const local = locals[index] as Bench;
    workshop.subtract(local, anchor, local);
    workshop.accumulate(update, local, null, momentum, momentumWeight, 0);
  }
  return sums.map((sum, index) => sum / (steps[index] as number));
}
