/** How long a program may take, in milliseconds. */
export interface ProcessTimeouts {
  /** To say hello: start, load its libraries and its data. */
  readonly helloMs: number;
  /** To train one round. */
  readonly trainMs: number;
  /** To evaluate one model. */
  readonly evaluateMs: number;
  /** To stop what is cancelled; and to end when asked to, before it is killed. */
  readonly cancelMs: number;
}

/** How a trainer's program is kept from the rest of the machine. */
export type SandboxKind = 'none' | 'bwrap';

/** The command and what it may reach, as the user chooses them. */
export interface ProcessSettings {
  /** Program and arguments, quoted as for a shell; none reads it. */
  readonly command: string;
  /** The folder that it runs in; default the current one. */
  readonly cwd?: string;
  /** Variables of the client's environment to pass on besides those that are. */
  readonly environmentNames?: readonly string[];
  /** Default `none`. */
  readonly sandbox?: SandboxKind;
  /** What a sandbox shows besides the folder that it runs in and the data. */
  readonly readable?: readonly string[];
  /** What a sandbox hides: the client's key and state. */
  readonly hidden?: readonly string[];
  /** Default: two minutes for hello, the round's deadline for training and evaluating, ten seconds to cancel. */
  readonly timeouts?: Partial<ProcessTimeouts>;
}
