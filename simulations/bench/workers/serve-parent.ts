/** One request to a process of a benchmark. */
export interface WorkerRequest {
  /** Counts the requests. */
  readonly id: number;
  /** What is asked for. */
  readonly operation: string;
  /** What with. */
  readonly argument: unknown;
}

/** Its answer. */
export interface WorkerReply {
  /** The request's. */
  readonly id: number;
  /** What came of it. */
  readonly answer?: unknown;
  /** Why nothing came of it. */
  readonly failure?: string;
}

/** What a process can be asked for, by name. */
export type Operations = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** Answers the parent's requests until the parent or a signal ends this process. */
export async function serveParent(operations: Operations): Promise<void> {
  const reply = (message: WorkerReply): void => {
    // A parent that has ended waits for no answer.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const answerRequest = ({ id, operation, argument }: WorkerRequest): void => {
    const run = operations[operation];
    const work = run ? run(argument as never) : Promise.reject(new Error(`there is no operation ${operation}`));
    work.then(
      (answer) => reply({ id, answer }),
      (error: Error) => reply({ id, failure: error.message }),
    );
  };
  process.on('message', answerRequest);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  // While somebody listens the channel keeps the process alive.
  process.off('message', answerRequest);
}
