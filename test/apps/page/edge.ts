import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { OriginRequestPolicy } from 'aws-cdk-lib/aws-cloudfront';
import type { Request, Route } from 'playwright-core';
import { AppFront } from '../../../lib/constructs/app-front/app-front';

/** What somebody answers. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A server behind CloudFront: what it answers; undefined if nobody is there. */
export type Origin = (asked: { method: string; path: string; host: string }) => Promise<Answer | undefined>;

interface Behavior {
  PathPattern?: string;
  TargetOriginId: string;
  OriginRequestPolicyId?: string;
}

interface Config {
  Aliases: [string];
  CacheBehaviors: Behavior[];
  DefaultCacheBehavior: Behavior;
  Origins: { Id: string; DomainName: string }[];
  CustomErrorResponses: { ErrorCode: number; ResponseCode: number; ResponsePagePath: string }[];
}

/** Forwards every header of the visitor, Host included. */
const ALL_VIEWER = OriginRequestPolicy.ALL_VIEWER.originRequestPolicyId;

/**
 * Plays CloudFront by the configuration that would be deployed, as far as that goes: which origin gets a request, under which name, and
 * what a visitor sees in place of an answer that does not come (CloudFront developer guide, "How CloudFront processes HTTP 4xx and 5xx
 * status codes from your origin").
 */
export class Edge {
  private readonly config: Config;

  /** @param origins by their host names */
  constructor(
    domain: string,
    private readonly origins: Readonly<Record<string, Origin>>,
  ) {
    const stack = new Stack(new App(), 'Stack');
    new AppFront(stack, 'Front', {
      ...{
        cluster: 'drowse',
        domain,
        region: 'us-east-1',
        elasticIp: '203.0.113.9',
        apiEndpoint: 'https://api.example/',
      },
      certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012',
    });
    const [distribution] = Object.values(Template.fromStack(stack).findResources('AWS::CloudFront::Distribution'));
    this.config = (distribution as { Properties: { DistributionConfig: Config } }).Properties.DistributionConfig;
  }

  /** Answers a request of the browser. */
  async serve(route: Route): Promise<void> {
    await route.fulfill(await this.answer(route.request()));
  }

  private async answer(request: Request): Promise<Answer> {
    const { pathname, search } = new URL(request.url());
    const answer = await this.ask(request.method(), pathname + search);
    const instead = this.config.CustomErrorResponses.find(({ ErrorCode }) => ErrorCode === answer.status);
    if (instead === undefined) return answer;
    const page = await this.ask('GET', instead.ResponsePagePath);
    return page.status === 200 ? { ...page, status: instead.ResponseCode } : page;
  }

  private async ask(method: string, path: string): Promise<Answer> {
    const { Aliases, CacheBehaviors, DefaultCacheBehavior, Origins } = this.config;
    const behavior = CacheBehaviors.find(({ PathPattern }) => PathPattern === path) ?? DefaultCacheBehavior;
    const name = Origins.find(({ Id }) => Id === behavior.TargetOriginId)?.DomainName ?? '';
    const host = behavior.OriginRequestPolicyId === ALL_VIEWER ? Aliases[0] : name;
    const nobody = { status: 504, headers: {}, body: '' };
    return (await this.origins[name]?.({ method, path, host })) ?? nobody;
  }
}
