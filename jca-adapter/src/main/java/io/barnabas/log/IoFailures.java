package io.barnabas.log;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.util.Locale;

/**
 * Tells a disk that failed from one that is merely full. Java has no error codes for files, only the system's words, which a locale may
 * translate: {@link DiskDirectory} therefore looks at the room that is left as well.
 */
final class IoFailures {
    private IoFailures() {}

    /**
     * True if the disk is not to blame: no space, quota, file descriptors, an interrupted thread, too long a name. Such a write
     * fails its caller and leaves the directory online. Not to be asked about a failed force, after which the fate of unwritten
     * pages is unknown, see {@link #isWantOfFiles}.
     */
    static boolean isTransient(IOException e) {
        if (e instanceof SegmentFile.PartialWriteException) {
            return false;
        }
        if (e instanceof ClosedByInterruptException || e instanceof ClosedChannelException) {
            return true;
        }
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("no space left")
                || message.contains("quota exceeded")
                || isWantOfFiles(e)
                || message.contains("file name too long");
    }

    /** True if the process, or the system, had no file left to open. So no file was reached, be it to force it: it can be tried again. */
    static boolean isWantOfFiles(IOException e) {
        return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("too many open files");
    }
}
