import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { build as bundle, type OnLoadResult, type Plugin } from 'esbuild';

const ROOT = path.join(__dirname, '..');

const NAMES_OF_CALLS = /\b([A-Z]\w+Command|paginate[A-Z]\w+|waitUntil[A-Z]\w+)\b/g;
const INDEX_OF_CALLS = /[\\/]client-[a-z0-9-]+[\\/]dist-es[\\/](commands|pagination|waiters)[\\/]index\.js$/;
const INDEX_OF_CLIENT = /[\\/]client-[a-z0-9-]+[\\/]dist-es[\\/]index\.js$/;
/** What it takes, and from which file of the same client. */
const IMPORT = /^import \{ (.+) \} from "(\..+)";$/gm;
const SCHEMAS = /[\\/]client-[a-z0-9-]+[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/;

/**
 * An SDK client has a file for every command, paginator and waiter of its service, and the schemas of all of them in
 * one: for EC2, over seven hundred files and thirteen thousand statements, which the bundler would link anew for each
 * handler only to drop nearly all. What no file of ours names is left out from the start. What were left out wrongly
 * would be an error of the build.
 */
export function onlyUsedCalls(): Plugin {
  const named = new Set(callers().flatMap((file) => readFileSync(file, 'utf8').match(NAMES_OF_CALLS) ?? []));
  const isUsed = (file: string) =>
    named.has(file) ||
    named.has(`paginate${file.replace(/Paginator$/, '')}`) ||
    named.has(file.replace(/^waitFor/, 'waitUntil'));
  return {
    name: 'only-used-calls',
    setup(build) {
      build.onLoad({ filter: INDEX_OF_CALLS }, ({ path: file }) =>
        linesOf(file, (line) => isUsed(exported(line) ?? '')),
      );
      build.onLoad({ filter: INDEX_OF_CLIENT }, ({ path: file }) => {
        const all = new Set(readFileSync(file, 'utf8').split('\n').map(exported));
        // `EC2` beside `EC2Client` has a method for each command.
        return linesOf(file, (line) => !all.has(`${exported(line) ?? ''}Client`));
      });
      build.onLoad({ filter: SCHEMAS }, ({ path: file }) => shakeSchemas(file, isUsed));
    },
  };
}

/** `XCommand` of `export * from "./XCommand";` */
function exported(line: string): string | undefined {
  return /^export \* from "\.\/(\w+)";$/.exec(line)?.[1];
}

function linesOf(file: string, keep: (line: string) => boolean): OnLoadResult {
  const lines = readFileSync(file, 'utf8').split('\n');
  return { contents: lines.filter(keep).join('\n'), loader: 'js' };
}

/** Files that name calls of AWS: ours, and those of DynamoDB's document client. */
function callers(): string[] {
  return ['lambdas', 'node_modules/@aws-sdk/lib-dynamodb/dist-es'].flatMap((folder) =>
    sourcesIn(path.join(ROOT, folder)),
  );
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[tj]s$/.test(file))
    .map((file) => path.join(folder, file));
}

/**
 * A client's schemas down to those of the used commands. They are arrays with computed keys (`{ [_K]: … }`), which no
 * bundler dares to drop: with the keys written out, it does.
 */
async function shakeSchemas(file: string, isUsed: (file: string) => boolean): Promise<OnLoadResult> {
  const source = readFileSync(file, 'utf8');
  const keys = new Map([...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]));
  const client = path.dirname(path.dirname(file));
  const wanted = importsFromSchemas(client, isUsed);
  const { outputFiles } = await bundle({
    stdin: {
      contents: source
        .replace(/\[(_\w+)\]:/g, (key, name: string) => `${keys.get(name) ?? key}:`)
        .replace(/^export (?=var |const )/gm, '')
        .concat(`\nexport { ${wanted.join(', ')} };`),
      resolveDir: path.dirname(file),
    },
    bundle: true,
    external: ['*'],
    format: 'esm',
    write: false,
  });
  return { contents: outputFiles[0]?.text ?? '', loader: 'js' };
}

/** What the files of a client that stay take from its schemas; a paginator or a middleware brings its command along. */
function importsFromSchemas(client: string, isUsed: (file: string) => boolean): string[] {
  const isCall = (file: string) => /[\\/](commands|pagination|waiters)[\\/]\w+\.js$/.test(file);
  const isSummary = (file: string) => existsSync(file.replace(/\.js$/, 'Client.js'));
  const files = sourcesIn(client).filter((file) => (isCall(file) ? isUsed(path.parse(file).name) : !isSummary(file)));
  const names = new Set<string>();
  const seen = new Set<string>();
  const read = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, list = '', from = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (/schemas_\d+$/.test(from)) for (const name of list.split(', ')) names.add(name);
      else if (/[\\/]commands[\\/]\w+$/.test(from)) read(path.resolve(path.dirname(file), `${from}.js`));
    }
  };
  files.forEach(read);
  return [...names];
}
