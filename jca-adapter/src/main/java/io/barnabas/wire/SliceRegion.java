package io.barnabas.wire;

import io.barnabas.log.LogSlice;
import io.netty.channel.DefaultFileRegion;

/**
 * A {@link LogSlice} on its way to a socket: {@code sendfile} on epoll, {@code transferTo} elsewhere. It is a
 * {@link DefaultFileRegion} because Netty's epoll transport sends no other region without copying; unlike its parent it leaves the
 * segment's channel open and gives the slice back instead.
 */
public final class SliceRegion extends DefaultFileRegion {
    private final LogSlice slice;

    SliceRegion(LogSlice slice) {
        super(slice.channel(), slice.position(), slice.sizeInBytes());
        this.slice = slice;
    }

    @Override
    protected void deallocate() {
        slice.release();
    }
}
