import { Duration, Fn, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Construct } from 'constructs';
import { WAITING_PATH } from '../../../core/api/waiting';
import { dnsSuffixOf } from '../../../core/facts/regions';

export interface AppFrontProps {
  cluster: string;
  /** Host name of the app, at which CloudFront stands. */
  domain: string;
  /** Its certificate, in us-east-1. */
  certificateArn: string;
  region: string;
  /** The address that the ingress node carries while the cluster is awake. */
  elasticIp: string;
  /** Address of the API, which serves the waiting page. */
  apiEndpoint: string;
}

/** What CloudFront answers if nobody answers it: no route to the cluster, no TLS, or an ingress without the app. */
const NOBODY_ANSWERS = [502, 504];
/** Long enough for one lost packet; a visitor to a cluster that sleeps waits no longer for the waiting page. */
const CONNECT = { connectionAttempts: 1, connectionTimeout: Duration.seconds(3) };
/** What an app may take for an answer; CloudFront allows no more without a larger quota. */
const ANSWER = Duration.seconds(60);

/**
 * CloudFront at the app's name. Each request goes to the Elastic IP, uncached and under the app's own name; where nobody answers there,
 * the visitor gets the waiting page with a 503. Nothing tells it whether the cluster sleeps: it asks. Without a standing charge.
 */
export class AppFront extends Construct {
  /** What the app's name must lead to. */
  readonly domainName: string;

  constructor(
    scope: Construct,
    id: string,
    { cluster, domain, certificateArn, region, elasticIp, apiEndpoint }: AppFrontProps,
  ) {
    super(scope, id);
    const distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `${domain}: the app of cluster ${cluster}, or a page while it sleeps`,
      domainNames: [domain],
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      // One price for every gigabyte, the lowest. Visitors from elsewhere are served from there as well.
      priceClass: cloudfront.PriceClass.PRICE_CLASS_100,
      defaultBehavior: {
        origin: new HttpOrigin(publicNameOf(elasticIp, region), {
          ...CONNECT,
          protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
          readTimeout: ANSWER,
        }),
        allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
        cachePolicy: cloudfront.CachePolicy.CACHING_DISABLED,
        // With the name in it, by which the ingress finds the app and CloudFront checks the certificate.
        originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER,
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      },
      additionalBehaviors: {
        [WAITING_PATH]: {
          // Without the visitor's headers: the API knows no name but its own.
          origin: new HttpOrigin(Fn.select(2, Fn.split('/', apiEndpoint)), {
            protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
          }),
          cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
          viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        },
      },
      errorResponses: NOBODY_ANSWERS.map((httpStatus) => ({
        httpStatus,
        responseHttpStatus: 503,
        responsePagePath: WAITING_PATH,
        // Whoever looks again wants to know how it is now.
        ttl: Duration.seconds(0),
      })),
    });
    Validations.of(distribution).acknowledge(
      { id: 'AwsSolutions-CFR1', reason: 'Whoever may see the app may see it from everywhere' },
      {
        id: 'AwsSolutions-CFR2',
        reason: 'A firewall is billed by the month; what the app answers is its own business',
      },
      {
        id: 'AwsSolutions-CFR3',
        reason: 'The ingress logs what reaches the app; what does not is of no use to anybody',
      },
    );
    this.domainName = distribution.distributionDomainName;
  }
}

/**
 * AWS's own name of a public address, since CloudFront takes no address for an origin: the domain belongs to CloudFront itself, and no
 * other record has to be made. Source: EC2 user guide, "EC2 instance hostnames, DNS names, and domains".
 */
function publicNameOf(address: string, region: string): string {
  const domain = region === 'us-east-1' ? 'compute-1' : `${region}.compute`;
  return Fn.join('', ['ec2-', Fn.join('-', Fn.split('.', address)), `.${domain}.${dnsSuffixOf(region)}`]);
}
