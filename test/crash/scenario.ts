import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startCoordinator as startSoundCoordinator } from '../../coordinator/coordinator.ts';
import { OPERATOR } from './crash-job.ts';
import { clientArguments, type Federation, runClients, type Scene } from './federation.ts';
import { freePort, type Life, type Program } from './program.ts';

/** Starts the coordinator on a scene. */
export function startCoordinator(
  program: Program,
  { rpcUrl }: Pick<Federation, 'rpcUrl'>,
  scene: Scene,
  port: number,
  faults: Readonly<Record<string, string>> = {},
): Life {
  return program.start({ folder: scene.coordinator, rpcUrl, key: OPERATOR.key, port }, faults);
}

/** Lets a coordinator stop in order. */
export async function stopCoordinator(life: Life): Promise<void> {
  life.child.stdin?.end();
  expect(await life.ended, life.log()).toBe(0);
}

/**
 * Runs the job to its end with a coordinator that is killed wherever each of its lives is told to be, and started again
 * without delay; the last life has no fault.
 *
 * @param points - where the first life is killed, then the second, and so on
 * @param victim - a participant in a process of its own, that is killed too
 * @returns points that were never reached before the job ended
 */
export async function runWithCrashes(
  program: Program,
  federation: Federation,
  scene: Scene,
  points: readonly string[],
  victim?: { readonly program: Program; readonly points: readonly string[] },
): Promise<string[]> {
  const port = await freePort();
  const controller = new AbortController();
  const indices = victim ? [0, 2] : [0, 1, 2];
  const mine = runClients(federation, scene, indices, port, { signal: controller.signal });
  const others = victim
    ? runLives(victim.program, clientArguments(federation, scene, 1, port), victim.points)
    : undefined;
  const clients = Promise.all([mine, others]).then(([outcomes]) => outcomes);
  const finished = clients.then(
    () => 'finished' as const,
    () => 'finished' as const,
  );
  const missed: string[] = [];
  try {
    for (const [index, point] of [...points, undefined].entries()) {
      const life = startCoordinator(program, federation, scene, port, point ? { FEDANCHOR_CRASH_AT: point } : {});
      const how = await Promise.race([life.ended, point === undefined ? ended(life, finished) : finished]);
      if (how === 'finished') {
        // The job is over for the clients; the point may still come in what the coordinator does last.
        life.child.stdin?.end();
        const last = await life.ended;
        if (point !== undefined && last !== 'SIGKILL') missed.push(...points.slice(index));
        else if (point === undefined) expect(last, life.log()).toBe(0);
        if (point !== undefined && last !== 'SIGKILL') break;
      } else {
        expect(how, `life ${index + 1}, ${point}:\n${life.log()}`).toBe('SIGKILL');
      }
    }
    expect(await clients).toEqual(indices.map(() => expect.objectContaining({ kind: 'closed' }) as unknown));
  } finally {
    controller.abort();
  }
  return missed;
}

/** Runs a client that is killed at each of these points in turn, unless it ends before, and then without a fault. */
async function runLives(program: Program, argument: unknown, points: readonly string[]): Promise<void> {
  for (const point of [...points, undefined]) {
    const life = program.start(argument, point === undefined ? {} : { FEDANCHOR_CRASH_AT: point });
    const how = await life.ended;
    if (how === 0) return;
    expect(how, life.log()).toBe('SIGKILL');
  }
}

/** A life without a fault must come up; after that it goes on until its clients have finished. */
async function ended(life: Life, finished: Promise<'finished'>): Promise<'finished'> {
  await life.said('listening');
  return finished;
}

/** Runs the job undisturbed and returns how often each point was reached, in the order of their first times. */
export async function tracePoints(
  program: Program,
  federation: Federation,
  scene: Scene,
): Promise<ReadonlyMap<string, number>> {
  const trace = join(scene.coordinator, 'trace.txt');
  const port = await freePort();
  const life = startCoordinator(program, federation, scene, port, { FEDANCHOR_TRACE: trace });
  await life.said('listening');
  const outcomes = await runClients(federation, scene, [0, 1, 2], port, { signal: new AbortController().signal });
  expect(outcomes.map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
  await stopCoordinator(life);
  return countPoints(await readFile(trace, 'utf8'));
}

/** Counts the lines of a trace. */
export function countPoints(trace: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const point of trace.trim().split('\n')) counts.set(point, (counts.get(point) ?? 0) + 1);
  return counts;
}

/** Starts a coordinator without faults in this process. */
export function startSound(federation: Federation, scene: Scene) {
  return startSoundCoordinator({
    ...{ folder: scene.coordinator, rpcUrl: federation.rpcUrl, signer: OPERATOR.signer, operators: [] },
    ...{ host: '127.0.0.1', port: 0, log: { info: () => {}, warn: () => {}, error: () => {} } },
  });
}

/** Runs the job with everybody in this process. */
export async function runUndisturbed(federation: Federation, scene: Scene): Promise<void> {
  await using coordinator = await startSound(federation, scene);
  const port = Number(new URL(coordinator.url).port);
  const { signal } = new AbortController();
  const outcomes = await runClients(federation, scene, [0, 1, 2], port, { signal });
  expect(outcomes.map(({ kind }) => kind)).toEqual(['closed', 'closed', 'closed']);
}

/** Runs the job with a sound coordinator in this process and one participant in a process of its own. */
export async function runWithVictim(
  program: Program,
  federation: Federation,
  scene: Scene,
  lives: readonly Readonly<Record<string, string>>[],
): Promise<string[]> {
  const controller = new AbortController();
  const coordinator = await startSound(federation, scene);
  const endings: string[] = [];
  try {
    const port = Number(new URL(coordinator.url).port);
    const others = runClients(federation, scene, [0, 2], port, { signal: controller.signal });
    for (const faults of lives) {
      const life = program.start(clientArguments(federation, scene, 1, port), faults);
      const how = await life.ended;
      endings.push(how === 0 ? 'closed' : `${how}`);
      if (how !== 'SIGKILL' && how !== 0) throw new Error(life.log());
    }
    expect(await others).toEqual([0, 2].map(() => expect.objectContaining({ kind: 'closed' }) as unknown));
  } finally {
    controller.abort();
    await coordinator[Symbol.asyncDispose]();
  }
  return endings;
}
