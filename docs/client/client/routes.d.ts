// Written by `bun run openapi` from edge/client.ts; a change here is lost.
export type Routes = {
    "/api/health": {
        $get: {
            input: {};
            answers: {
                200: {
                    isAlive: true;
                };
            };
        };
    };
    "/api/images": {
        $get: {
            input: {
                query?: {
                    name?: string | undefined;
                    scope?: "all" | "own" | "public" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
        $post: {
            input: {
                form: {
                    file: Blob | File;
                    name?: string | number | undefined;
                    title?: string | number | undefined;
                    keywords?: string | string[] | undefined;
                };
            } | {
                json: {
                    title?: string | undefined;
                    keywords?: string[] | undefined;
                    name: string;
                    mediaType: string;
                    sizeBytes: number;
                };
            };
            answers: {
                201: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    upload: {
                        url: string;
                        token: string;
                        path: string;
                        expiresAt: string;
                    };
                };
                202: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/images/:id": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                204: undefined;
            };
        };
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
        $patch: {
            input: {
                json: {
                    name?: string | undefined;
                    title?: string | null | undefined;
                    keywords?: string[] | undefined;
                };
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
    };
    "/api/images/:id/completion": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    image: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                    };
                    job: {
                        id: string;
                    };
                };
            };
        };
    };
    "/api/images/:id/publication": {
        $delete: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
        $put: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    ownerId: string | null;
                    name: string;
                    title: string | null;
                    keywords: string[];
                    state: "failed" | "processing" | "ready" | "uploading";
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    isPublic: boolean;
                    mediaType: string | null;
                    sizeBytes: number | null;
                    width: number | null;
                    height: number | null;
                    perceptualHash: string | null;
                    takenAt: string | null;
                    camera: string | null;
                    createdAt: string;
                    updatedAt: string;
                    links: {
                        thumbnail?: string | undefined;
                        display?: string | undefined;
                        original?: string | undefined;
                        expiresAt: string;
                    } | null;
                    origin: {
                        sha256: string;
                        exif: {
                            [x: string]: string | number | number[];
                        };
                        place: {
                            latitude: number;
                            longitude: number;
                            altitudeMetres: number | null;
                        } | null;
                    } | null;
                };
            };
        };
    };
    "/api/images/:id/similar": {
        $get: {
            input: {
                query?: {
                    scope?: "all" | "own" | "public" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                        score: number;
                    }[];
                    nextCursor: string | null;
                    method: "keywords" | "vectors";
                    space: string | null;
                    reason: string | null;
                };
            };
        };
    };
    "/api/images/search": {
        $get: {
            input: {
                query: {
                    scope?: "all" | "own" | "public" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                    q: string;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        ownerId: string | null;
                        name: string;
                        title: string | null;
                        keywords: string[];
                        state: "failed" | "processing" | "ready" | "uploading";
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        isPublic: boolean;
                        mediaType: string | null;
                        sizeBytes: number | null;
                        width: number | null;
                        height: number | null;
                        perceptualHash: string | null;
                        takenAt: string | null;
                        camera: string | null;
                        createdAt: string;
                        updatedAt: string;
                        links: {
                            thumbnail?: string | undefined;
                            display?: string | undefined;
                            original?: string | undefined;
                            expiresAt: string;
                        } | null;
                        score: number;
                    }[];
                    nextCursor: string | null;
                    method: "keywords" | "vectors";
                    space: string | null;
                    reason: string | null;
                };
            };
        };
    };
    "/api/jobs": {
        $get: {
            input: {
                query?: {
                    state?: "cancelled" | "done" | "failed" | "queued" | "running" | undefined;
                    kind?: string | undefined;
                    subjectId?: string | undefined;
                    scope?: "all" | "own" | undefined;
                    limit?: string | number | undefined;
                    cursor?: string | undefined;
                };
            };
            answers: {
                200: {
                    items: {
                        id: string;
                        kind: string;
                        lane: "bulk" | "interactive";
                        ownerId: string | null;
                        subjectId: string | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                        result: {
                            [x: string]: unknown;
                        } | null;
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        attempts: number;
                        attemptsMax: number;
                        cancelRequestedAt: string | null;
                        lastSequence: number;
                        createdAt: string;
                        startedAt: string | null;
                        finishedAt: string | null;
                    }[];
                    nextCursor: string | null;
                };
            };
        };
    };
    "/api/jobs/:id": {
        $get: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/:id/cancellation": {
        $post: {
            input: {
                param: {
                    id: string;
                };
            };
            answers: {
                202: {
                    id: string;
                    kind: string;
                    lane: "bulk" | "interactive";
                    ownerId: string | null;
                    subjectId: string | null;
                    state: "cancelled" | "done" | "failed" | "queued" | "running";
                    progress: {
                        done: number;
                        total: number | null;
                        message: string | null;
                    };
                    result: {
                        [x: string]: unknown;
                    } | null;
                    error: {
                        code: string;
                        message: string;
                    } | null;
                    attempts: number;
                    attemptsMax: number;
                    cancelRequestedAt: string | null;
                    lastSequence: number;
                    createdAt: string;
                    startedAt: string | null;
                    finishedAt: string | null;
                };
            };
        };
    };
    "/api/jobs/:id/events": {
        $get: {
            input: {
                query?: {
                    after?: string | number | undefined;
                    limit?: string | number | undefined;
                };
                param: {
                    id: string;
                };
            };
            answers: {
                200: {
                    items: {
                        jobId: string;
                        sequence: number;
                        event: "job.cancelled" | "job.cancelling" | "job.done" | "job.failed" | "job.progressed" | "job.queued" | "job.requeued" | "job.started";
                        kind: string;
                        subjectId: string | null;
                        state: "cancelled" | "done" | "failed" | "queued" | "running";
                        progress: {
                            done: number;
                            total: number | null;
                            message: string | null;
                        };
                        error: {
                            code: string;
                            message: string;
                        } | null;
                        at: string;
                    }[];
                    nextAfter: number | null;
                };
            };
        };
    };
    "/api/jobs/ticks": {
        $post: {
            input: {
                query?: {
                    budgetMs?: string | number | undefined;
                    jobsMax?: string | number | undefined;
                };
            };
            answers: {
                200: {
                    added: number;
                    rescued: number;
                    done: number;
                    failed: number;
                    requeued: number;
                };
            };
        };
    };
    "/api/metrics": {
        $get: {
            input: {};
            answers: {
                200: string;
            };
        };
    };
    "/api/openapi.json": {
        $get: {
            input: {};
            answers: {
                200: {
                    [x: string]: unknown;
                };
            };
        };
    };
    "/api/ready": {
        $get: {
            input: {};
            answers: {
                200: {
                    isReady: boolean;
                    parts: {
                        database: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        storage: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        sidecar: {
                            isReady: boolean;
                            tookMs: number;
                        };
                    };
                };
                503: {
                    isReady: boolean;
                    parts: {
                        database: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        storage: {
                            isReady: boolean;
                            tookMs: number;
                        };
                        sidecar: {
                            isReady: boolean;
                            tookMs: number;
                        };
                    };
                };
            };
        };
    };
};
export type Problem = {
    type: string;
    title: string;
    status: number;
    detail: string;
    instance: string;
    code: "cancelled" | "conflict" | "deadline_exceeded" | "forbidden" | "gone" | "idempotency_in_progress" | "idempotency_mismatch" | "image_object_missing" | "image_too_many_pixels" | "image_undecodable" | "invalid_cursor" | "invalid_request" | "lease_expired" | "method_not_allowed" | "name_taken" | "not_found" | "payload_too_large" | "quota_exceeded" | "rate_limited" | "token_expired" | "unauthenticated" | "unavailable" | "unexpected" | "unsupported_media_type" | "upload_expired" | "upstream_failed";
    requestId: string;
    errors: {
        field: string;
        message: string;
    }[];
};
