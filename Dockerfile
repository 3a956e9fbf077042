# Holdfast: one image, both deployments. Without DATABASE_URL and S3_ENDPOINT everything lives in the volume /data.
# Debian, not Alpine: embedded PostgreSQL is built for glibc, and refuses to run as root, so the image has a user.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY src ./src
COPY migrations ./migrations

FROM node:24-bookworm-slim
COPY --from=build /app /app
RUN ln -s /app/src/holdfast.js /usr/local/bin/holdfast && chmod 755 /app/src/holdfast.js
RUN mkdir /data && chown node:node /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["holdfast"]
CMD ["serve"]
