#!/usr/bin/env bash
#
# User data of every instance, run once by cloud-init: write the node data, fetch the node bundle from the bucket, check
# its digest, unpack it to /opt/drowse and start it. lib/node/user-data.ts fills in the two @…@ below and drops comments.
# A failure is tagged on the instance (drowse:phase), and cloud-init's log is put into the bucket; its end is the console output
# of the instance, too, the only place left where the metadata service gives no identity.
#
#   @NODE_DATA@  the node data document, one line of JSON
#   @BUNDLE@     SHA-256 of the node bundle, which lies in the bucket as node/<digest>.tar.gz
#
# Credentials are the role's, from the metadata service (IMDSv2), and reach curl on its standard input.
set -euo pipefail
umask 077
mkdir -p /etc/drowse
cat >/etc/drowse/node.json <<'END'
@NODE_DATA@
END
sha=@BUNDLE@
cd /run
json() { python3 -c 'import json,sys;print(sys.argv[1].format(**json.load(sys.stdin)))' "$1"; }
read -r region ec2 s3 < <(json '{region} https://ec2.{region}.{domain}/ https://{bucket}.s3.{region}.{domain}' </etc/drowse/node.json)
get() { curl -sf --retry 6 --retry-all-errors -m 60 "$@"; }
imds=http://169.254.169.254/latest
key=X-aws-ec2-metadata-token
meta() { get -H @- "$imds/meta-data/$1" <<<"$key: $token"; }
aws() {
  role=iam/security-credentials/
  meta $role"$(meta $role)" |
    json $'user="{AccessKeyId}:{SecretAccessKey}"\nheader="x-amz-security-token: {Token}"' |
    get --aws-sigv4 "aws:amz:$region:$1" -K - "${@:2}"
}
report() {
  echo "failed:$why"
  # Without an identity it ends here.
  aws ec2 "$ec2" -d "Action=CreateTags&Version=2016-11-15&ResourceId.1=$id&Tag.1.Key=drowse:phase&Tag.1.Value=failed:$why&Tag.2.Key=drowse:phase-at&Tag.2.Value=$(date -u +%FT%TZ)"
  # An instance writes below its own ARN alone; a colon is sent as it is signed.
  arn=$(meta iam/info | json '{InstanceProfileArn}')
  arn=${arn/iam::/ec2:$region:}
  arn=${arn%%-profile*}/$id
  aws s3 -H x-amz-content-sha256:UNSIGNED-PAYLOAD -T /var/log/cloud-init-output.log "$s3/logs/${arn//:/%3A}/user-data.log"
}
trap '[ $? = 0 ] || report' EXIT
why=metadata-unreachable
token=$(get -X PUT -H "$key-ttl-seconds: 900" $imds/api/token)
id=$(meta instance-id)
why=bundle-unreachable
aws s3 -o d.tgz "$s3/node/$sha.tar.gz"
why=digest-mismatch
sha256sum -c <<<"$sha  d.tgz"
why=start-failed
rm -rf /opt/drowse
tar -xf d.tgz --one-top-level=/opt/drowse
/opt/drowse/node.sh enable "$sha"
