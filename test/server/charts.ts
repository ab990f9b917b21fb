import { cpSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import { CACHE } from '../../lab/binaries/wanted';
import { readCharts, type Chart } from '../../lib/platform/charts';
import { readYaml } from '../../lib/platform/manifest';

/** Where the pinned charts are kept, unpacked; beside the binaries. */
const CHARTS = path.resolve(CACHE, '..', 'charts');

const cached = ({ name, version }: Chart) => path.join(CHARTS, `${name}-${version}`);

/**
 * Folders of all pinned charts, unpacked: those of the folder that CHARTS names, where each is in a folder of its name in
 * platform/base/charts.yaml, and which the cache then keeps; else the cache's.
 * @param say is told of each chart whose version is not the pinned one
 * @throws CommandFailed a chart is in neither
 */
export function chartFolders(say: (line: string) => void): Record<string, string> {
  const unpacked = process.env.CHARTS;
  return Object.fromEntries(
    Object.values(readCharts()).map((chart) => {
      const folder = cached(chart);
      const source = unpacked === undefined ? undefined : path.resolve(unpacked, chart.name);
      if (source !== undefined && existsSync(source)) {
        rmSync(folder, { recursive: true, force: true });
        cpSync(source, folder, { recursive: true });
      }
      if (!existsSync(folder)) {
        throw new CommandFailed(
          `The chart ${chart.name} ${chart.version} is not in ${CHARTS}`,
          'Run again with CHARTS=FOLDER, a folder with the unpacked charts (helm pull --untar), each in one of its name.',
        );
      }
      const [{ version }] = readYaml(path.join(folder, 'Chart.yaml')) as [{ version: string }];
      const isSame = version.replace(/^v/, '') === chart.version.replace(/^v/, '');
      if (!isSame) say(`${chart.name}: the chart is ${version}, not the pinned ${chart.version}`);
      return [chart.name, folder];
    }),
  );
}
