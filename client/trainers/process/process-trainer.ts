import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Hex, toHex } from '../../../shared/bytes.ts';
import type { Json } from '../../../shared/codec.ts';
import type { Log } from '../../log.ts';
import type { Trainer, TrainingResult } from '../trainer.ts';
import { TrainerError } from '../trainer-error.ts';
import { type Answer, type Child, startChild, type Waiting } from './child.ts';
import { childEnvironment, MARK_VARIABLE } from './child-environment.ts';
import { splitCommand } from './command-line.ts';
import { expectAnswer } from './expect-answer.ts';
import { prepareLaunch } from './launch.ts';
import { type MessageOf, type TensorShape, TRAINER_PROTOCOL } from './messages.ts';
import { openPrivateFolder } from './private-folder.ts';
import { ProcessTrainerError } from './process-error.ts';
import type { ProcessSettings, ProcessTimeouts } from './process-settings.ts';
import { readTensors, writeTensors } from './tensor-files.ts';

/** What a trainer that is a program of its own is made of. */
export interface ProcessTrainerOptions extends ProcessSettings {
  /** The manifest's tensors, in order. */
  readonly tensors: readonly TensorShape[];
  /** The manifest's task, which the program is told to the letter. */
  readonly task: Json;
  /** The longest that training or evaluating can be of use, in milliseconds: the round's deadline. */
  readonly usefulMs: number;
  /** Files and folders with the client's data. */
  readonly data: readonly string[];
  /** 32 secret bytes that hide the data behind its commitment; the program is told them. */
  readonly salt: Uint8Array;
  /** The client's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where its standard error and its own errors are told. */
  readonly log: Log;
  /** Pauses before it is started again after failures in a row; default a second, doubled up to a minute. */
  readonly pauses?: { readonly firstMs: number; readonly mostMs: number };
  /** Gives up starting it. */
  readonly signal?: AbortSignal | undefined;
  /** Where private folders are made; default the system's folder for temporary files. */
  readonly folderParent?: string;
}

/** A trainer that is a program of its own. */
export interface ProcessTrainer extends Trainer {
  /** What the program calls itself. */
  readonly name: string | undefined;
  /** Commitment to its data, as it says; undefined if it says none. */
  readonly datasetCommitment: Hex | undefined;
  /** Resolves, after `dispose`, when the program and its folder are gone. */
  ended(): Promise<void>;
}

const HELLO_MS = 120_000;
const CANCEL_MS = 10_000;
const PAUSES = { firstMs: 1_000, mostMs: 60_000 };

/**
 * Starts a program and makes it a trainer, by the protocol in `docs/trainers.md`. What it gets wrong fails the call under
 * way with a `ProcessTrainerError` and ends it with all that it started; the next call starts it afresh, after a pause
 * that grows with the failures in a row. Calls queue up.
 *
 * @param options - command, manifest, data
 * @throws ProcessTrainerError if it cannot be started or does not say hello
 */
export async function createProcessTrainer(options: ProcessTrainerOptions): Promise<ProcessTrainer> {
  const { tensors, log, pauses = PAUSES, usefulMs } = options;
  const timeouts: ProcessTimeouts = {
    helloMs: HELLO_MS,
    trainMs: usefulMs,
    evaluateMs: usefulMs,
    cancelMs: CANCEL_MS,
    ...options.timeouts,
  };
  const { cancelMs } = timeouts;
  const command = splitCommand(options.command);
  // Before a folder is made, for a wrong name is refused.
  childEnvironment({}, options.environmentNames ?? [], '', '');
  const folder = await openPrivateFolder(options.folderParent);
  let child: Child | undefined;
  let hello: MessageOf<'hello'> | undefined;
  let lastId = 0;
  let starts = 0;
  let failures = 0;
  let isDisposed = false;
  let ended: Promise<void> | undefined;
  let lastCall: Promise<unknown> = Promise.resolve();

  const launch = await prepareLaunch(options, command, folder, cancelMs).catch(async (error) => {
    await folder.remove();
    throw error;
  });

  const greet = async (fresh: Child): Promise<MessageOf<'hello'>> => {
    const answer = await fresh.ask(
      {
        type: 'hello',
        id: 0,
        protocols: [TRAINER_PROTOCOL],
        tensors: tensors.map(({ name, shape }) => ({ name, shape })),
        task: options.task,
        data: options.data.map((path) => resolve(path)),
        salt: toHex(options.salt),
      },
      { timeoutMs: timeouts.helloMs, cancelMs },
    );
    const said = expectAnswer(answer, 'hello', log);
    if (said.protocol !== TRAINER_PROTOCOL) {
      throw new ProcessTrainerError(
        'trainer/process-bad-version',
        `the trainer speaks version ${said.protocol} of the protocol, this client version ${TRAINER_PROTOCOL}: use a trainer made for it`,
        { found: said.protocol, spoken: [TRAINER_PROTOCOL] },
      );
    }
    if (hello && hello.datasetCommitment !== said.datasetCommitment) {
      throw new ProcessTrainerError(
        'trainer/process-data-changed',
        'the trainer, started again, commits to other data than before: start the client again to take part with it',
      );
    }
    return said;
  };

  const begin = async (): Promise<Child> => {
    // Marks of its own: whoever kills what the one before has left behind must not find this one.
    starts++;
    const mark = `${launch.mark}/${starts}`;
    const fresh = startChild({ ...launch, mark, environment: { ...launch.environment, [MARK_VARIABLE]: mark } }, log);
    child = fresh;
    try {
      hello = await greet(fresh);
      return fresh;
    } catch (error) {
      failures++;
      await fresh.end();
      throw error;
    }
  };

  /** The program at work, started again if it has failed. */
  const ready = async (signal: AbortSignal | undefined): Promise<Child> => {
    if (child?.isAlive()) return child;
    await child?.end();
    await folder.empty();
    const pauseMs = failures === 0 ? 0 : Math.min(pauses.mostMs, pauses.firstMs * 2 ** (failures - 1));
    log.info({ failures, pauseMs }, "the trainer's program is started again");
    await delay(pauseMs, undefined, signal && { signal }).catch((cause) => {
      throw aborted(cause);
    });
    if (isDisposed) throw disposed();
    return begin();
  };

  /** One call after the other; one that fails leaves a program that is ended. */
  const run = <Result>(signal: AbortSignal | undefined, work: (child: Child) => Promise<Result>): Promise<Result> => {
    const mine = lastCall.then(async () => {
      if (isDisposed) throw disposed();
      if (signal?.aborted) throw aborted(signal.reason);
      const able = await ready(signal);
      if (signal?.aborted) throw aborted(signal.reason);
      try {
        const result = await work(able);
        failures = 0;
        return result;
      } catch (error) {
        if (isDisposed) throw disposed();
        if (error instanceof ProcessTrainerError) {
          failures++;
          void able.end();
        }
        throw error;
      }
    });
    lastCall = mine.catch(() => undefined);
    return mine;
  };

  /** Asks about a model that the program finds in a file. */
  const askAbout = async (
    able: Child,
    weights: readonly Float32Array[],
    request: { readonly type: 'train'; readonly round: number; readonly seed: number } | { readonly type: 'evaluate' },
    waiting: Omit<Waiting, 'cancelMs'>,
  ): Promise<Answer> => {
    lastId++;
    const name = `weights-${lastId}.safetensors`;
    await writeTensors(folder.path, name, tensors, checked(weights, tensors));
    const timeoutS = waiting.timeoutMs / 1000;
    const answer = await able
      .ask({ ...request, id: lastId, weights: name, timeoutS }, { ...waiting, cancelMs })
      .finally(() => rm(join(folder.path, name), { force: true }));
    if (waiting.signal?.aborted) throw aborted(waiting.signal.reason);
    return answer;
  };

  const giveUp = (): void => void child?.end();
  options.signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (options.signal?.aborted) throw aborted(options.signal.reason);
    await begin();
  } catch (error) {
    await folder.remove();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  const { name, datasetCommitment } = hello as unknown as MessageOf<'hello'>;

  return {
    name,
    datasetCommitment: datasetCommitment ?? undefined,
    train: ({ weights, seed, round, onProgress }, signal) =>
      run(signal, async (able): Promise<TrainingResult> => {
        const answer = await askAbout(
          able,
          weights,
          { type: 'train', round, seed },
          {
            timeoutMs: timeouts.trainMs,
            signal,
            onProgress: ({ done, loss }) => onProgress?.({ done, ...(loss == null ? {} : { loss }) }),
          },
        );
        const { file, samples, loss, energyJ } = expectAnswer(answer, 'update', log);
        const update = await readTensors(folder.path, file, tensors);
        if (energyJ != null) log.info({ round, energyJ }, 'energy, as the trainer says');
        return { update, samples, loss };
      }),
    evaluate: (weights, signal) =>
      run(signal, async (able) => {
        const answer = await askAbout(able, weights, { type: 'evaluate' }, { timeoutMs: timeouts.evaluateMs, signal });
        const { correct, total, lossSum, constantCorrect } = expectAnswer(answer, 'evaluation', log);
        if (correct > total || (constantCorrect ?? 0) > total) {
          throw new ProcessTrainerError(
            'trainer/process-bad-output',
            `the trainer says that ${Math.max(correct, constantCorrect ?? 0)} of ${total} examples are right: "total" must count them all`,
          );
        }
        return { correct, total, lossSum, constantCorrect: constantCorrect ?? 0 };
      }),
    dispose: () => {
      if (isDisposed) return;
      isDisposed = true;
      ended = (child?.end() ?? Promise.resolve()).then(() => folder.remove());
    },
    ended: async () => {
      await lastCall;
      await ended;
    },
  };
}

function checked(weights: readonly Float32Array[], tensors: readonly TensorShape[]): readonly Float32Array[] {
  const sizes = tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  if (weights.length === sizes.length && sizes.every((size, index) => weights[index]?.length === size)) return weights;
  throw new TrainerError('trainer/shape-mismatch', "the weights do not have the shapes of the manifest's tensors", {
    expected: sizes,
    found: weights.map(({ length }) => length),
  });
}

function aborted(reason: unknown): TrainerError {
  return new TrainerError('trainer/aborted', 'the call to the trainer was called off', {}, reason);
}

function disposed(): TrainerError {
  return new TrainerError('trainer/disposed', 'the trainer was disposed: create another one');
}
