import { EVERYTHING } from '../support/configs';
import { resourcesOf, synthesize } from '../support/stacks';

/** A distribution's configuration, as far as these tests look into it. */
interface DistributionConfig {
  Aliases: string[];
  CacheBehaviors: Behavior[];
  DefaultCacheBehavior: Behavior;
  Origins: { Id: string; DomainName: unknown; CustomOriginConfig: Record<string, unknown> }[];
}
interface Behavior {
  PathPattern?: string;
  TargetOriginId: string;
}

const { operations } = synthesize(EVERYTHING).templates;
const [[, distribution] = []] = resourcesOf(operations, 'AWS::CloudFront::Distribution');
const config = distribution?.Properties?.DistributionConfig as DistributionConfig;
const originOf = ({ TargetOriginId }: Behavior) => config.Origins.find(({ Id }) => Id === TargetOriginId);

test('there is a front only where the configuration asks for a waiting page', () => {
  expect(resourcesOf(synthesize().templates.operations, 'AWS::CloudFront::Distribution')).toEqual([]);
  expect(operations?.Outputs).toHaveProperty('AppFront');
});

test('it stands at the app’s name with its own certificate, and speaks no old TLS', () => {
  expect(config).toMatchObject({
    Aliases: ['app.example.com'],
    Enabled: true,
    ViewerCertificate: {
      AcmCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012',
      MinimumProtocolVersion: 'TLSv1.2_2021',
      SslSupportMethod: 'sni-only',
    },
  });
});

test('requests go to the Elastic IP by AWS’s own name of it, over TLS, uncached, with all that the visitor sent', () => {
  const { DefaultCacheBehavior: behavior } = config;
  expect(behavior).toMatchObject({
    AllowedMethods: expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) as string[],
    // Managed-CachingDisabled and Managed-AllViewer: the Host header is the certificate's name and the SNI.
    CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
    OriginRequestPolicyId: '216adef6-5c7f-47e4-b989-5492eafa07d3',
    ViewerProtocolPolicy: 'redirect-to-https',
  });
  const origin = originOf(behavior);
  expect(JSON.stringify(origin?.DomainName)).toMatch(
    /^\{"Fn::Join":\["",\["ec2-",\{"Fn::Join":\["-",\{"Fn::Split":\[".",\{"Fn::ImportValue":"[^"]*ElasticIp[^"]*"\}\]\}\]\},".compute-1.amazonaws.com"\]\]\}$/,
  );
  expect(origin).toMatchObject({
    CustomOriginConfig: { OriginProtocolPolicy: 'https-only', OriginSSLProtocols: ['TLSv1.2'] },
    // A request is not sent twice, and who comes while the cluster sleeps waits three seconds.
    ConnectionAttempts: 1,
    ConnectionTimeout: 3,
  });
});

test('in another region the address has another name', () => {
  const yaml = EVERYTHING.replace('name: big', 'name: big\nregion: eu-central-1').replace(
    'kms:us-east-1',
    'kms:eu-central-1',
  );
  const [[, other] = []] = resourcesOf(synthesize(yaml).templates.operations, 'AWS::CloudFront::Distribution');
  expect(JSON.stringify(other)).toContain('.eu-central-1.compute.amazonaws.com');
});

test('where nobody answers, the API’s waiting page takes the place of the answer, and the next request asks anew', () => {
  const [waiting, ...others] = config.CacheBehaviors;
  expect([waiting?.PathPattern, others]).toEqual(['/.drowse/waiting', []]);
  expect(waiting).not.toHaveProperty('OriginRequestPolicyId');
  expect(JSON.stringify(originOf(waiting!)?.DomainName)).toMatch(/"Fn::GetAtt":\["WakeApi\w+","ApiEndpoint"\]/);
  const page = { ResponseCode: 503, ResponsePagePath: '/.drowse/waiting', ErrorCachingMinTTL: 0 };
  expect(config).toMatchObject({ CustomErrorResponses: [502, 504].map((ErrorCode) => ({ ErrorCode, ...page })) });
});
