WITH still_here AS (
    UPDATE generation_member SET alive_until = clock_timestamp() + make_interval(secs => $2) WHERE instance = $1
)
SELECT generation, shape, state,
       (SELECT count(*) FROM generation_member AS member
        WHERE member.generation = generation.generation AND alive_until > clock_timestamp()) AS members,
       coalesce((SELECT max(alive_until) FROM generation_member AS member
                 WHERE member.generation = generation.generation), begun_at)
           < clock_timestamp() - interval '1 minute' AS deserted
FROM generation
ORDER BY generation
