# The controller with its production dependencies and nothing else. Build: docker build -t marathon-ipvs .
#
#   docker run -d --name marathon-ipvs --restart unless-stopped --network host --read-only \
#     --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE \
#     -v /run/marathon-ipvs:/run/marathon-ipvs -v /var/lib/marathon-ipvs:/var/lib/marathon-ipvs \
#     marathon-ipvs run --source marathon=http://10.0.0.1:8080
#
# Both directories belong to the host, because the kernel's tables outlive the container:
#   install -d -o 65532 -g 65532 /run/marathon-ipvs /var/lib/marathon-ipvs
# The host also loads ip_vs and sets the kernel settings (deploy/systemd/modules-load.conf and sysctl.conf): a container
# may do neither. `docker run --rm --cap-add NET_ADMIN marathon-ipvs --help` lists the options.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY ipvs/package.json ipvs/
# No package needs its install script: netlink brings a compiled part for every common CPU.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete
COPY ipvs/src ipvs/src
COPY LICENSE ./
COPY controller controller
RUN controller/marathon-ipvs --version
RUN install -d -o 65532 -g 65532 /out/run/marathon-ipvs /out/var/lib/marathon-ipvs
# Unprivileged processes in a container get capabilities only through a file that they execute. Without `e` this one can be
# executed also where the container lacks them: the relay needs none.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libcap2-bin \
 && install -D /usr/bin/setpriv /out/app/raise-capabilities \
 && setcap cap_net_admin,cap_net_bind_service=p /out/app/raise-capabilities

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="marathon-ipvs" \
      org.opencontainers.image.description="Keeps DC/OS VIP names working: Marathon app definitions become live kernel IPVS tables" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
# node only: no npm and no yarn. Debian's image has the C++ libraries that it needs.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
COPY --from=build /out/ /
# The root is read-only: there is no place for compiled code.
ENV NODE_ENV=production NODE_COMPILE_CACHE=
USER 65532:65532
WORKDIR /app
# What stands on the command line of the controller is not seen here: say it in the environment, or in the file that
# MARATHON_IPVS_CONFIG names.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["/app/controller/marathon-ipvs", "health"]
ENTRYPOINT ["/app/controller/marathon-ipvs"]
CMD ["run"]
