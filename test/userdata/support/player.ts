import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What a command that is played wrote, and how it ended. */
export interface Played {
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/**
 * Plays a command: its arguments, and in order what was to be read where one of them names standard input (`-`) or another
 * open file (`@/dev/fd/4`).
 */
export type Player = (words: readonly string[], inputs: readonly string[]) => Played;

/**
 * A server to which the commands of a sandbox go that the test process plays (played.sh), as starting a program for each takes
 * ten times as long. One connection is one command; one after the other, whoever asks.
 */
export async function servePlayers(players: Readonly<Record<string, Player>>): Promise<Server> {
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const asked = parse(Buffer.concat(chunks).toString());
      if (asked !== undefined) answer(socket, players, ...asked);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

export function portOf(server: Server): string {
  return String((server.address() as AddressInfo).port);
}

/** Two lists, each after its length, every item ended by NUL; undefined until all of it is there. */
function parse(text: string): [words: string[], inputs: string[]] | undefined {
  const items = text.split('\0').slice(0, -1);
  const words = Number(items[0]);
  const inputs = Number(items[words + 1]);
  if (Number.isNaN(words + inputs) || items.length < words + inputs + 2) return undefined;
  return [items.slice(1, words + 1), items.slice(words + 2)];
}

function answer(
  socket: Socket,
  players: Readonly<Record<string, Player>>,
  [name = '', ...words]: string[],
  inputs: string[],
): void {
  let played: Played;
  try {
    played = players[name]?.(words, inputs) ?? { code: 127, stderr: `nobody plays ${name}` };
  } catch (error) {
    played = { code: 99, stderr: `${name} ${words.join(' ')}: ${String(error)}\n` };
  }
  socket.end(`${String(played.code)}\0${played.stdout ?? ''}\0${played.stderr ?? ''}\0`);
}
