import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../../../..');

/**
 * Makes a program of a TypeScript file and what it imports by relative paths, without checking types.
 *
 * @param entry - path below the repository
 * @returns runs the program once, each time in a process of its own
 */
export async function makeProgram(
  entry: string,
): Promise<(...args: readonly string[]) => Promise<{ stdout: string; stderr: string }>> {
  // Below node_modules, so that the program's own imports of packages resolve.
  const folder = await mkdtemp(join(ROOT, 'node_modules/.fedanchor-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const written = new Set<string>();
  const write = async (path: string): Promise<void> => {
    if (written.has(path)) return;
    written.add(path);
    const { outputText } = ts.transpileModule(await readFile(join(ROOT, path), 'utf8'), {
      fileName: path,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    const target = join(folder, path.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
    for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
      if (!fileName.startsWith('.')) continue;
      await write(relative(ROOT, join(ROOT, dirname(path), fileName.replace(/\.js$/, '.ts'))));
    }
  };
  await write(entry);
  const program = join(folder, entry.replace(/\.ts$/, '.js'));
  return (...args) => promisify(execFile)(process.execPath, [program, ...args]);
}
