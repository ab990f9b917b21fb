import { care } from './care';
import { Cluster } from './cluster';
import { command } from './command';
import { interruptions } from './interruptions';
import { life } from './life';
import { losses } from './losses';
import { page } from './page';
import { leaveNothing, recreation } from './recreation';

const cluster = new Cluster();
beforeAll(() => cluster.deploy());
afterAll(async () => {
  try {
    await leaveNothing(cluster);
  } finally {
    await cluster.stop();
  }
});

life(cluster);
command(cluster);
page(cluster);
interruptions(cluster);
losses(cluster);
care(cluster);
recreation(cluster);
