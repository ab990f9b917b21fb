import path from 'node:path';
import { buildApp } from './app';
import { InvalidEnvironment, readEnv } from './env';
import { Painter } from './painter';

async function main(): Promise<void> {
  const env = readEnv(process.env);
  const painter = new Painter(env, path.join(__dirname, 'painter-worker.js'));
  const app = await buildApp({ env, painter, publicFolder: path.join(__dirname, 'public') });
  const end = (signal: NodeJS.Signals) => {
    app.log.info({ signal }, 'Ending: photos that are here are finished first');
    setTimeout(() => {
      app.log.error('Ended before all photos were finished');
      process.exit(1);
    }, env.SHUTDOWN_SECONDS * 1000).unref();
    app
      .close()
      .then(() => painter.close())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        app.log.error({ err: error }, 'Could not end in order');
        process.exit(1);
      });
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  await app.listen({ host: env.HOST, port: env.PORT });
  await painter.load();
  const { status } = painter;
  if (status.ready) app.log.info(status, 'Ready to paint');
  else app.log.error(status, 'Not ready');
}

main().catch((error: unknown) => {
  console.error(error instanceof InvalidEnvironment ? error.message : error);
  process.exit(1);
});
