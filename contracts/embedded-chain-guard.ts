/**
 * A small Node program that stands between this process and the chain's node: `node -e GUARD_PROGRAM <node> <arguments>`.
 *
 * It ends the node in order when its standard input closes, which happens even if the process that holds the other end
 * is killed, so no node is left behind. It is started in a process group of its own, so that Ctrl-C in a terminal reaches
 * only the main process, which can finish with the chain before it stops it.
 */
export const GUARD_PROGRAM = `
const { spawn } = require('node:child_process');
const node = spawn(process.argv[1], process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit'] });
const end = () => { node.kill('SIGINT'); setTimeout(() => node.kill('SIGKILL'), 10000).unref(); };
node.on('error', () => process.exit(127));
node.on('exit', (code) => process.exit(code ?? 1));
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end);
`;
