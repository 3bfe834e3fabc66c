package dev.wove.worker;

import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Channels by their peer, shared by this process's runs. */
final class GrpcChannels {
  /** How long a channel may take to be made before HTTP is used in its place. */
  private static final double CONNECT_SECONDS = 3;

  /** For how long a peer is not tried again after that. */
  private static final double AVOID_SECONDS = 60;

  /** More peers than this at a time, and the one that was used least lately is left. */
  private static final int MAX_CHANNELS = 32;

  private final Map<GrpcTarget.Peer, ManagedChannel> open = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<GrpcTarget.Peer, Double> avoided = new HashMap<>();

  /**
   * A channel that is connected.
   *
   * @param peer to connect to
   * @param fresh not the one that there is
   * @return null when it cannot be had
   */
  ManagedChannel get(GrpcTarget.Peer peer, boolean fresh) {
    ManagedChannel channel = take(peer, fresh);
    if (channel == null) {
      return null;
    }
    if (!isReady(channel)) {
      synchronized (this) {
        avoided.put(peer, Reporter.now() + AVOID_SECONDS);
        open.remove(peer, channel);
      }
      channel.shutdown();
      return null;
    }
    return channel;
  }

  private synchronized ManagedChannel take(GrpcTarget.Peer peer, boolean fresh) {
    avoided.values().removeIf(until -> until < Reporter.now());
    if (avoided.containsKey(peer)) {
      return null;
    }
    ManagedChannel known = open.get(peer);
    if (known != null && !fresh && !known.isShutdown()) {
      return known;
    }
    ManagedChannel made;
    try {
      made = connect(peer);
    } catch (IOException | RuntimeException error) { // such as a file that is not there
      System.getLogger("dev.wove.worker")
          .log(
              System.Logger.Level.WARNING,
              "no gRPC channel to {0}, HTTP is used: {1}",
              peer.address(),
              error.getMessage());
      avoided.put(peer, Reporter.now() + AVOID_SECONDS);
      return null;
    }
    if (known != null) {
      known.shutdown(); // its calls may end
    }
    open.put(peer, made);
    if (open.size() > MAX_CHANNELS) {
      GrpcTarget.Peer eldest = open.keySet().iterator().next();
      open.remove(eldest).shutdown();
    }
    return made;
  }

  private static ManagedChannel connect(GrpcTarget.Peer peer) throws IOException {
    ChannelCredentials credentials = peer.secure() ? tls() : InsecureChannelCredentials.create();
    return Grpc.newChannelBuilder(peer.address(), credentials)
        .disableRetry() // retries are the reporter's
        .keepAliveTime(30, TimeUnit.SECONDS)
        .keepAliveTimeout(10, TimeUnit.SECONDS)
        .build();
  }

  /** What TLS needs, from files that the worker's environment names. */
  private static ChannelCredentials tls() throws IOException {
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    File authorities = file("WOVE_GRPC_CA");
    if (authorities != null) {
      credentials.trustManager(authorities);
    }
    File certificate = file("WOVE_GRPC_CERTIFICATE");
    File key = file("WOVE_GRPC_PRIVATE_KEY");
    if (certificate != null && key != null) {
      credentials.keyManager(certificate, key);
    }
    return credentials.build();
  }

  private static File file(String variable) throws IOException {
    String path = System.getenv(variable);
    if (path == null || path.isEmpty()) {
      return null;
    }
    File file = new File(path);
    if (!file.canRead()) {
      throw new IOException(variable + ": " + path + " cannot be read");
    }
    return file;
  }

  /** Waits for a channel to be connected, as long as that is not known to be in vain. */
  private static boolean isReady(ManagedChannel channel) {
    double deadline = Reporter.now() + CONNECT_SECONDS;
    while (true) {
      ConnectivityState state = channel.getState(true);
      double left = deadline - Reporter.now();
      if (state == ConnectivityState.READY) {
        return true;
      }
      if (left <= 0
          || state == ConnectivityState.TRANSIENT_FAILURE
          || state == ConnectivityState.SHUTDOWN) {
        return false;
      }
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      try {
        if (!changed.await((long) (left * 1000), TimeUnit.MILLISECONDS)) {
          return false;
        }
      } catch (InterruptedException error) {
        return false;
      }
    }
  }
}
