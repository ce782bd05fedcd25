#!/bin/sh
# The lab's vpnc-script: sets up the adapter, adds the routes in LAB_ROUTES, and keeps what it was told:
# LAB_ENV.events gets a line per call, LAB_ENV.REASON the environment of the latest call of that kind.
# shellcheck disable=SC2154
echo "$reason dev=$TUNDEV ip=$INTERNAL_IP4_ADDRESS ip6=$INTERNAL_IP6_ADDRESS mtu=$INTERNAL_IP4_MTU" >>"$LAB_ENV.events"
env >"$LAB_ENV.tmp"
case "$reason" in
connect)
	ip link set dev "$TUNDEV" mtu "$INTERNAL_IP4_MTU" up
	[ -n "$INTERNAL_IP6_ADDRESS" ] && ip -6 addr add "$INTERNAL_IP6_ADDRESS/128" dev "$TUNDEV" nodad
	[ -n "$INTERNAL_IP4_ADDRESS" ] && ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	for net in $LAB_ROUTES; do
		ip route replace "$net" dev "$TUNDEV"
	done
	;;
reconnect) ip link set dev "$TUNDEV" mtu "$INTERNAL_IP4_MTU" ;;
esac
mv "$LAB_ENV.tmp" "$LAB_ENV.$reason" # now, so that who waits for it finds the routes
exit 0
