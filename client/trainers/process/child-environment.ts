import { ProcessTrainerError } from './process-error.ts';

/** What a program finds of the client's environment unless more is named: where programs, languages and devices are. */
const PASSED_ON = /^(PATH|HOME|LANG|LC_[A-Z]+|TZ|(CUDA|NVIDIA|HIP|ROCR|ZE)_[A-Z0-9_]+)$/;

/** The client's own settings, its key among them. */
const NEVER = /^FEDANCHOR_/i;

/** Where the program finds the folder for tensors. */
const FOLDER_VARIABLE = 'FEDANCHOR_TRAINER_DIR';

/** What tells the program's descendants from all other processes. */
export const MARK_VARIABLE = 'FEDANCHOR_TRAINER_MARK';

/**
 * The environment of a trainer's program: a short list of variables, those named, and the folder for tensors, which is
 * the folder for temporary files too.
 *
 * @param environment - the client's own
 * @param named - variables to pass on besides; one that is not set is left out
 * @param folder - the private folder
 * @param mark - inherited by whatever the program starts
 * @throws ProcessTrainerError `trainer/process-bad-environment` if a name is none or is the client's own
 */
export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  named: readonly string[],
  folder: string,
  mark: string,
): Record<string, string> {
  for (const name of named) {
    if (NEVER.test(name)) {
      throw refuse(name, "names a setting of the client, such as its key, which no trainer's program gets");
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuse(name, 'is no name of a variable');
  }
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED_ON.test(entry[0]) || named.includes(entry[0])),
  );
  return { ...Object.fromEntries(passed), TMPDIR: folder, [FOLDER_VARIABLE]: folder, [MARK_VARIABLE]: mark };
}

function refuse(name: string, why: string): ProcessTrainerError {
  return new ProcessTrainerError(
    'trainer/process-bad-environment',
    `"${name.slice(0, 80)}", which was to be passed on to the trainer's program, ${why}: leave it out`,
    { name: name.slice(0, 80) },
  );
}
