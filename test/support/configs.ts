/** A configuration that uses every optional feature: three seats, four pools, schedules, audit, own key, e-mail. */
export const EVERYTHING = `
name: big
operatorCidrs: [203.0.113.0/24]
controlPlane: { seats: 3 }
pools:
  - { name: general, instanceTypes: [t3.large, t3a.large], min: 1, max: 5, desired: 2, ingress: true }
  - name: executor
    instanceTypes: [c5.2xlarge, c5a.2xlarge]
    market: spot-with-fallback
    max: 20
    desired: 0
    labels: { workload-type: executor }
    taints: [{ key: workload-type, value: executor, effect: NoSchedule }]
  - { name: gpu, instanceTypes: [g4dn.xlarge, g5.xlarge], market: spot, max: 5, desired: 0, gpu: true, diskGiB: 100 }
  - { name: batch, instanceTypes: [m5.large], sleep: stop, ami: ami-0123456789abcdef0 }
schedules:
  - { name: nights, days: [mon, tue, wed, thu, fri], sleep: '19:00', wake: '07:30', timeZone: Europe/Berlin }
  - { name: weekend, days: [sat], sleep: '00:30' }
app:
  domain: app.example.com
  email: ops@example.com
  waitingPage:
    certificateArn: arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012
notifications: { email: ops@example.com }
encryption: { kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012' }
audit: { enabled: true }
dashboard: { enabled: true }
access: [{ arn: 'arn:aws:iam::123456789012:role/Developers' }]
tags: { team: research }
`;
