import { run } from '../cli/drowse/program';

// Whoever reads the output has had enough of it (`drowse runs | head`): end as other programs do.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(141);
  });
}

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
