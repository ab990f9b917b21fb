import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OUT } from '../../local/run/paths';
import type { Progress } from '../../cli/terminal/progress';
import type { WorkflowRun } from '../../local/run/workflow';
import type { MachineFacts } from './room';
import type { Session } from './session';
import { type BootTimes, bootTimes, mergeTimes } from './times';

/** One thing that was looked at. */
export interface LabCheck {
  what: string;
  ok: boolean;
  /** What was seen. */
  found: string;
}

/** What `local/out/lab.json` holds. */
export interface LabRecord {
  ok: boolean;
  cluster: string;
  kubernetes: string;
  seats: number;
  seconds: Session['seconds'] & { life: number };
  workflows: WorkflowRun[];
  boots: BootTimes[];
  checks: LabCheck[];
}

/** Collects what a life shows, and shows it. */
export class Recorder {
  private readonly startedAt = Date.now();
  private readonly workflows: WorkflowRun[] = [];
  private readonly checks: LabCheck[] = [];
  private boots: BootTimes[] = [];
  /** Part of the life that is under way. */
  part = '';

  constructor(
    private readonly session: Session,
    private readonly progress: Progress,
  ) {}

  get failed(): LabCheck[] {
    return this.checks.filter(({ ok }) => !ok);
  }

  check(what: string, ok: boolean, found: string): void {
    this.checks.push({ what, ok, found });
    const mark = ok ? this.progress.color.green('✓') : this.progress.color.red('✗');
    this.progress.print(`  ${mark} ${what}${ok ? '' : `: ${found}`}`);
  }

  workflow(run: WorkflowRun): void {
    this.workflows.push(run);
  }

  /** Looks at the machines' phases; to be called before any of them boots again. */
  async boot(): Promise<void> {
    this.boots = mergeTimes(this.boots, bootTimes(await this.session.room.machines(), this.part));
  }

  /** Notes when a seat's boot came to lead a part of the control plane, `at` in seconds since 1970. */
  led({ instanceId, boots, startedAt }: MachineFacts, what: string, at: number): void {
    const times = this.boots.find((one) => one.instanceId === instanceId && one.boot === boots);
    if (times && at >= startedAt) times.leads = { ...times.leads, [what]: Math.round((at - startedAt) * 10) / 10 };
  }

  /** Writes local/out/lab.json. */
  async close(): Promise<LabRecord> {
    await this.boot().catch(() => undefined); // Of a lab that failed the times seen so far are what there is.
    const { config, seconds } = this.session;
    const record: LabRecord = {
      ok: this.failed.length === 0 && this.workflows.every(({ status }) => status === 'SUCCEEDED'),
      cluster: config.name,
      kubernetes: config.kubernetes.version,
      seats: config.controlPlane.seats,
      seconds: { ...seconds, life: (Date.now() - this.startedAt) / 1000 },
      workflows: this.workflows,
      boots: this.boots,
      checks: this.checks,
    };
    mkdirSync(OUT, { recursive: true });
    writeFileSync(path.join(OUT, 'lab.json'), `${JSON.stringify(record, null, 2)}\n`);
    return record;
  }
}
