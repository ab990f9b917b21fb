# shellcheck shell=bash
#
# The seat's fixed address: taken over as a secondary address of this instance's interface, after the volume, so that its
# last holder is already fenced off. It does not become the source of outgoing packets: etcd's certificates carry both. Sourced.

take_fixed_address() {
  wait_until "address ${NODE[seat.fixedIp]} to be free" fixed-address-held 300 5 fixed_address_is_ours
  local interface
  interface=$(interface_name)
  ip address replace "${NODE[seat.fixedIp]}/32" dev "${interface}"
}

# fixed_address_is_ours: looks who holds it and takes it if nobody does. Never by force: EC2 frees the addresses of a
# terminated instance by itself, and a living holder means that something is wrong.
fixed_address_is_ours() {
  local holder=''
  aws_ec2 DescribeNetworkInterfaces 'Filter.1.Name=addresses.private-ip-address' "Filter.1.Value.1=${NODE[seat.fixedIp]}" \
    'Filter.2.Name=subnet-id' "Filter.2.Value.1=${FACTS[subnetId]}" ||
    fatal fixed-address-held "EC2 does not describe interfaces (${AWS_ERROR})"
  aws_ec2_each note_holder networkInterfaceSet networkInterfaceId subnetId privateIpAddressesSet.privateIpAddress || return 1
  [[ ${holder} != "${FACTS[interfaceId]}" ]] || return 0
  if [[ -n ${holder} ]]; then
    info "${NODE[seat.fixedIp]} is still held by ${holder}"
    return 1
  fi
  aws_ec2 AssignPrivateIpAddresses "NetworkInterfaceId=${FACTS[interfaceId]}" "PrivateIpAddress.1=${NODE[seat.fixedIp]}" && return 0
  info "EC2 does not assign ${NODE[seat.fixedIp]} yet (${AWS_ERROR})"
  return 1
}

# note_holder <interface> <subnet> <addresses, with commas>: of several, our own counts.
note_holder() {
  [[ $2 == "${FACTS[subnetId]}" && ,$3, == *",${NODE[seat.fixedIp]},"* ]] || return 0
  [[ ${holder} == "${FACTS[interfaceId]}" ]] || holder=$1
}

# interface_name: the one with the primary address's MAC.
interface_name() {
  local path address
  for path in /sys/class/net/*; do
    [[ -r ${path}/address ]] || continue
    read -r address <"${path}/address"
    [[ ${address} != "${FACTS[mac]}" ]] || {
      printf '%s' "${path##*/}"
      return 0
    }
  done
  fatal fixed-address-held "no interface has the MAC ${FACTS[mac]}"
}
