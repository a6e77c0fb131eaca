# The built controller, a Node.js to run it, and nothing else. Build: docker build -t marathon-ipvs .
# For both processors at once: docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/marathon-ipvs --push .
#
#   docker run -d --name marathon-ipvs --restart unless-stopped --network host --read-only \
#     --cap-drop ALL --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE \
#     -v /run/marathon-ipvs:/run/marathon-ipvs -v /var/lib/marathon-ipvs:/var/lib/marathon-ipvs \
#     marathon-ipvs run --source marathon=http://10.0.0.1:8080
#
# Both directories belong to the host, because the kernel's tables outlive the container:
#   install -d -o 65532 -g 65532 /run/marathon-ipvs /var/lib/marathon-ipvs
# The host also loads ip_vs and sets the kernel settings (deploy/systemd/modules-load.conf and sysctl.conf): a container
# may do neither. `docker run --rm marathon-ipvs --help` lists the options.
#
# For the same base images each time, name them with their digests:
#   docker build --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… --build-arg BASE_IMAGE=debian:bookworm-slim@sha256:… .

ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

# Everything that runs while this is built runs on the machine that builds. Of the image's own processor come two programs, as files.
# These stages stand first: buildah 1.28 takes the platform of a stage for those after it too.
FROM ${NODE_IMAGE} AS node
FROM ${BASE_IMAGE} AS base

FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends libcap2-bin
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
COPY ipvs/package.json ipvs/
# No package needs its install script: netlink and esbuild bring a compiled part for every common CPU.
RUN npm ci --ignore-scripts
COPY LICENSE tsconfig.json ./
COPY ipvs/src ipvs/src
COPY controller controller
COPY deploy/build deploy/build
RUN npm run build

# As the Debian package lays them out: the launcher takes the Node.js that lies beside it.
FROM build AS files
ARG TARGETARCH
WORKDIR /out/usr/lib/marathon-ipvs
COPY --from=node /usr/local/bin/node .
# Unprivileged processes in a container get capabilities only through a file that they execute. Without `e` this one can be
# executed also where the container lacks them: the relay needs none.
COPY --from=base /usr/bin/setpriv raise-capabilities
RUN cp -R /source/dist/. . \
 && setcap cap_net_admin,cap_net_bind_service=p raise-capabilities \
 && install -d ../../bin \
 && ln -s ../lib/marathon-ipvs/marathon-ipvs ../../bin/marathon-ipvs \
 && install -d -o 65532 -g 65532 /out/run/marathon-ipvs /out/var/lib/marathon-ipvs
RUN [ "$TARGETARCH" != "$(dpkg --print-architecture)" ] || /out/usr/bin/marathon-ipvs --version

FROM base
LABEL org.opencontainers.image.title="marathon-ipvs" \
      org.opencontainers.image.description="Keeps DC/OS VIP names working: Marathon app definitions become live kernel IPVS tables" \
      org.opencontainers.image.licenses="Apache-2.0"
# Debian's image has the C++ libraries that Node.js needs.
COPY --from=files /out/ /
ENV NODE_ENV=production
USER 65532:65532
WORKDIR /
# What stands on the command line of the controller is not seen here: say it in the environment, or in the file that
# MARATHON_IPVS_CONFIG names. That holds for --listen and --tls-cert-file in particular.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["marathon-ipvs", "health"]
ENTRYPOINT ["marathon-ipvs"]
CMD ["run"]
