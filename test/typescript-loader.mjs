// Lets a child process of a test, or a thread of it, run the product's TypeScript on any supported Node: `node --import <this file> x.ts`.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

// Hooks run in a thread of their own, which loads this same file; so it is told apart by its address.
if (!import.meta.url.endsWith('?hooks')) register(`${import.meta.url}?hooks`);

/** Hook that erases the types of TypeScript modules. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { default: typescript } = await import('typescript');
  const { outputText: source } = typescript.transpileModule(await readFile(fileURLToPath(url), 'utf8'), {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  return { format: 'module', source, shortCircuit: true };
}
