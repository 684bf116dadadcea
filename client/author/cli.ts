import { initModel } from '../init-model.ts';
import { inspectTask } from './inspect-task.ts';

/** What a job's author needs of the client's side, for the commands that the coordinator's folder adds. */
export const taskWorkbench = { inspect: inspectTask, drawModel: initModel } as const;
