# docker build -t rtmfp-server . ; then see docs/deploy.md, and why it wants --network host.
FROM node:20-slim AS build
WORKDIR /src
COPY . .
RUN npx -y pnpm@10.34.9 install --frozen-lockfile && npx -y pnpm@10.34.9 tarballs --out /packages

FROM node:20-slim
WORKDIR /app
COPY --from=build /packages /packages
RUN npm install --omit=dev --no-audit --no-fund /packages/*.tgz && rm -r /packages
# For --identity and --config; the only place that the server writes to.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 1935/udp 8935/tcp
# By the options of the server itself: they, and the configuration that they name, say where HTTP is and which token it takes.
HEALTHCHECK --start-period=10s CMD ["node", "node_modules/rtmfp-server/bin/rtmfp-server.js", "health", "--as-process", "1"]
ENTRYPOINT ["node", "node_modules/rtmfp-server/bin/rtmfp-server.js"]
CMD ["--identity", "/data/identity"]
